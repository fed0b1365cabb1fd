"""Deliveries: complete or not there, only what they seem, and only from whom they should be."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import TemporaryError
from scheduler.files import NotAFileError
from scheduler.landing import (
    DeliveredFile,
    DeliveryError,
    ElfFile,
    LandingZone,
    Manifest,
    SignedManifest,
    describe_file,
)
from scheduler.workerkeys import AllowedWorkers, WorkerKey
from tests.scheduler.landing.conftest import CLAIM, LANDED
from tests.support.deliveries import manifest_of
from tests.support.queue import job

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_what_was_delivered_is_read_again(
    landing: LandingZone, output: Path, worker_key: WorkerKey, allowed: AllowedWorkers
) -> None:
    elf = ElfFile(path="usr/lib/libx.so.1", bits=64, soname="libx.so.1", needs=("libc.so.6",))
    manifest = manifest_of(
        CLAIM,
        files=(replace(describe_file(output / "a.pkg.tar.zst"), elf=(elf,)),),
        executor="container",
        image="archlinux@sha256:0",
        peak_memory=1,
        cpu_seconds=0.5,
        applied=("interfere.patch", "bump to 1-1.1 — für alle"),
    )
    landing.deliver(SignedManifest.sign(manifest, worker_key), output)

    assert landing.read(LANDED, allowed) == manifest


def test_a_delivery_is_complete_or_not_there(
    landing: LandingZone, output: Path, manifest: Manifest, worker_key: WorkerKey
) -> None:
    gone = DeliveredFile(name="gone.pkg.tar.zst", size=1, sha256="0" * 64)
    incomplete = replace(manifest, files=(*manifest.files, gone))

    with pytest.raises(OSError, match=r"gone\.pkg"):
        landing.deliver(SignedManifest.sign(incomplete, worker_key), output)
    assert list(landing.folder.iterdir()) == []

    assert landing.deliver(SignedManifest.sign(manifest, worker_key), output) == "7-9"
    assert sorted(path.name for path in (landing.folder / "7-9").iterdir()) == [
        "a.pkg.tar.zst",
        "manifest.json",
        "manifest.json.sig",
    ]


def test_delivering_again_replaces_what_was_there(
    landing: LandingZone, output: Path, signed: SignedManifest, worker_key: WorkerKey
) -> None:
    landing.deliver(signed, output)
    (output / "a.pkg.tar.zst").write_bytes(b"other")
    changed = manifest_of(CLAIM, output / "a.pkg.tar.zst")
    landing.deliver(SignedManifest.sign(changed, worker_key), output)

    assert (landing.folder / "7-9" / "a.pkg.tar.zst").read_bytes() == b"other"
    assert len(list(landing.folder.iterdir())) == 1


def test_a_file_that_changes_meanwhile_is_not_delivered(
    landing: LandingZone, output: Path, signed: SignedManifest
) -> None:
    (output / "a.pkg.tar.zst").write_bytes(b"other")

    with pytest.raises(DeliveryError, match="changed while it was being delivered"):
        landing.deliver(signed, output)


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


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"job_id": 8, "delivery": "8-9"}, "delivery 8-9 is not there"),
        ({"job_id": 8}, "is of another job"),
        ({"attempt": 2}, "is of attempt 1, and attempt 2 is the last"),
        ({"builder": "worker-2"}, "is of worker-0a1b, and worker-2 had the job"),
        ({"spec": job("tool", commit="1" * 40)}, "was built from commit c0ffee"),
        ({"spec": job("tool", source_repo="other")}, "of source, not from .* of other"),
        ({"spec": job("tool", target_repo="other")}, "is of another job"),
        ({"spec": job("tool", arch="aarch64")}, "is of another job"),
        ({"spec": job("other")}, "is of another job"),
    ],
)
def test_a_delivery_is_good_for_one_attempt_at_one_job(
    landing: LandingZone,
    output: Path,
    signed: SignedManifest,
    allowed: AllowedWorkers,
    wrong: dict[str, object],
    message: str,
) -> None:
    landing.deliver(signed, output)

    with pytest.raises(DeliveryError, match=message):
        landing.read(replace(LANDED, **wrong), allowed)  # type: ignore[arg-type]


def other_worker(text: bytes) -> bytes:
    return text.replace(b"worker-0a1b", b"other-0a1b")


def other_checksum(text: bytes) -> bytes:
    data = json.loads(text)
    data["files"][0]["sha256"] = "0" * 64
    return json.dumps(data).encode()


@pytest.mark.parametrize(
    ("tamper", "message"),
    [
        (other_worker, "not signed by a key that ALLOWED_WORKERS has for the worker other"),
        (other_checksum, "not signed by a key"),
        (lambda text: text + b" ", "not signed by a key"),
        (lambda text: text.replace(b"worker-0a1b", b"../x-0a1b"), "cannot be the name of a worker"),
        (lambda text: text.replace(b'"worker"', b'"who"'), "does not say which worker"),
        (lambda _: b"[" * 100_000, "cannot be read"),
        (lambda _: b"\xff", "cannot be read"),
        (lambda _: b"NaN", "cannot be read"),
        (lambda _: b"[]", "does not say which worker"),
        (lambda _: b" " * (32 * 1024 * 1024 + 1), "is larger than"),
    ],
)
def test_what_was_changed_after_it_was_signed_is_refused(
    landing: LandingZone,
    output: Path,
    signed: SignedManifest,
    allowed: AllowedWorkers,
    tamper: Callable[[bytes], bytes],
    message: str,
) -> None:
    landing.deliver(signed, output)
    path = landing.folder / "7-9" / "manifest.json"
    path.write_bytes(tamper(path.read_bytes()))

    with pytest.raises(DeliveryError, match=f"delivery 7-9: .*{message}"):
        landing.read(LANDED, allowed)


def test_a_signature_has_to_be_there_and_a_file(
    landing: LandingZone, output: Path, signed: SignedManifest, allowed: AllowedWorkers
) -> None:
    landing.deliver(signed, output)
    signature = landing.folder / "7-9" / "manifest.json.sig"
    signature.unlink()
    with pytest.raises(DeliveryError, match=r"delivery 7-9 has no manifest\.json\.sig"):
        landing.read(LANDED, allowed)

    signature.symlink_to("/etc/passwd")
    with pytest.raises(DeliveryError, match="is a link"):
        landing.read(LANDED, allowed)

    signature.unlink()
    signature.write_bytes(b"no signature")
    with pytest.raises(DeliveryError, match="not signed by a key"):
        landing.read(LANDED, allowed)


def test_trouble_with_the_list_of_workers_is_not_the_deliverys_fault(
    tmp_path: Path, landing: LandingZone, output: Path, signed: SignedManifest
) -> None:
    landing.deliver(signed, output)

    with pytest.raises(TemporaryError, match=r"ALLOWED_WORKERS: the file .* cannot be read"):
        landing.read(LANDED, AllowedWorkers(tmp_path / "gone"))


def test_what_nobody_wants_any_more_is_swept_up(landing: LandingZone) -> None:
    orphans = ("7-9", ".incoming-7-9-0a", ".incoming-0-0-0a")
    others = ("8-1", ".incoming-8-1-0a", "a folder of somebody")
    for name in (*orphans, *others, ".rejected/6-6", ".rejected/5-5"):
        (landing.folder / name / "inner").mkdir(parents=True)
    (landing.folder / "9-9").write_text("no folder")
    (landing.folder / ".rejected/5-5.reason").write_text("long ago")
    for name in ("5-5", "5-5.reason"):
        os.utime(landing.folder / ".rejected" / name, (0, 0))
    asked = []

    def is_wanted(delivery: str) -> bool:
        asked.append(delivery)
        return delivery == "8-1"

    assert sorted(landing.sweep(is_wanted, after=3600)) == ["5-5", "5-5.reason"]
    assert asked == []
    assert set(landing.sweep(is_wanted, after=-1)) == {*orphans, "9-9"}
    assert set(asked) == {"0-0", "7-9", "8-1", "9-9"}
    assert {path.name for path in landing.folder.iterdir()} == {*others, ".rejected"}
    assert [path.name for path in (landing.folder / ".rejected").iterdir()] == ["6-6"]
    assert LandingZone(landing.folder / "nowhere").sweep(is_wanted, after=-1) == []
