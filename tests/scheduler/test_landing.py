"""Deliveries: complete or not there, and only what they seem."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from scheduler.files import NotAFileError
from scheduler.landing import DeliveredFile, DeliveryError, LandingZone, Manifest, describe_file

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = Manifest(
    job=7,
    token=9,
    attempt=1,
    pkgbase="tool",
    target_repo="repo",
    source_repo="source",
    arch="x86_64",
    commit="1" * 40,
    tree="2" * 40,
    worker="worker-1",
    started=1.0,
    ended=2.0,
    files=(),
)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    folder = tmp_path / "output"
    folder.mkdir()
    (folder / "a.pkg.tar.zst").write_bytes(b"a")
    return folder


def manifest_of(*paths: Path) -> Manifest:
    return replace(MANIFEST, files=tuple(describe_file(path) for path in paths))


def test_a_delivery_is_complete_or_not_there(tmp_path: Path, output: Path) -> None:
    landing = LandingZone(tmp_path / "landing")
    gone = DeliveredFile(name="gone.pkg.tar.zst", size=1, sha256="0" * 64)
    incomplete = replace(MANIFEST, files=(*manifest_of(output / "a.pkg.tar.zst").files, gone))

    with pytest.raises(OSError, match=r"gone\.pkg"):
        landing.deliver(incomplete, output)
    assert list(landing.folder.iterdir()) == []

    assert landing.deliver(manifest_of(output / "a.pkg.tar.zst"), output) == "7-9"
    assert sorted(path.name for path in (landing.folder / "7-9").iterdir()) == [
        "a.pkg.tar.zst",
        "manifest.json",
    ]


def test_delivering_again_replaces_what_was_there(tmp_path: Path, output: Path) -> None:
    landing = LandingZone(tmp_path / "landing")
    landing.deliver(manifest_of(output / "a.pkg.tar.zst"), output)
    (output / "a.pkg.tar.zst").write_bytes(b"other")
    landing.deliver(manifest_of(output / "a.pkg.tar.zst"), output)

    assert (landing.folder / "7-9" / "a.pkg.tar.zst").read_bytes() == b"other"
    assert len(list(landing.folder.iterdir())) == 1


def test_a_file_that_changes_meanwhile_is_not_delivered(tmp_path: Path, output: Path) -> None:
    manifest = manifest_of(output / "a.pkg.tar.zst")
    (output / "a.pkg.tar.zst").write_bytes(b"other")

    with pytest.raises(DeliveryError, match="changed while it was being delivered"):
        LandingZone(tmp_path / "landing").deliver(manifest, output)


def test_links_pipes_and_second_names_are_no_files(output: Path) -> None:
    (output / "link").symlink_to("a.pkg.tar.zst")
    os.mkfifo(output / "pipe")
    (output / "one").write_bytes(b"1")
    os.link(output / "one", output / "two")

    for name in ("link", "pipe", "one", "two"):
        with pytest.raises(NotAFileError):
            describe_file(output / name)


@pytest.mark.parametrize("name", ["", ".", "..", "../7-9", "7-9/..", "/etc", ".rejected", "7"])
def test_only_the_name_of_a_delivery_is_one(tmp_path: Path, name: str) -> None:
    landing = LandingZone(tmp_path)
    with pytest.raises(DeliveryError, match="cannot be the name of a delivery"):
        landing.remove(name)
