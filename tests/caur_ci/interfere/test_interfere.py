"""Which interfere files there are, and what every package gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.interfere import Interfere, InterfereError, has_native, needed_packages
from caur_ci.interfere.files import MAX_SIZE

if TYPE_CHECKING:
    from pathlib import Path


def folder_with(tmp_path: Path, **files: bytes) -> Path:
    (tmp_path / ".CI").mkdir()
    for name, content in files.items():
        (tmp_path / ".CI" / name).write_bytes(content)
    return tmp_path


def test_a_package_without_the_folder_has_no_interfere(tmp_path: Path) -> None:
    assert Interfere.of_folder(tmp_path, origin="a") == Interfere()


def test_each_file_is_read(tmp_path: Path) -> None:
    names = ("prepare", "PKGBUILD.prepend", "PKGBUILD.append", "on-success.sh", "on-failure.sh")
    folder = folder_with(tmp_path, **{name: name.encode() for name in names}, config=b"X=1")
    assert Interfere.of_folder(folder, origin="a") == Interfere(
        prepare=b"prepare",
        prepend=b"PKGBUILD.prepend",
        append=b"PKGBUILD.append",
        on_success=b"on-success.sh",
        on_failure=b"on-failure.sh",
    )


def test_prepare_may_have_its_older_name(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, **{"prepare.sh": b":\n"})
    assert Interfere.of_folder(folder, origin="a").prepare == b":\n"


def test_two_files_for_one_thing_are_refused(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, **{"prepare.sh": b":\n", "prepare": b":\n"})
    with pytest.raises(InterfereError, match=r"a: .CI/prepare and .CI/prepare.sh are the same"):
        Interfere.of_folder(folder, origin="a")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"x" * (MAX_SIZE + 5), "larger than 1024 KiB"),
        (b"a\nb\0\n", ":2: a NUL byte"),
        (b"a\r\nb\r\n", ":1: the line ends as on Windows"),
    ],
)
def test_what_bash_could_not_read_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    folder = folder_with(tmp_path, **{"PKGBUILD.append": content})
    with pytest.raises(InterfereError) as raised:
        Interfere.of_folder(folder, origin="a")
    assert raised.value.message.startswith("a/.CI/PKGBUILD.append")
    assert words in raised.value.message


def test_a_link_is_refused(tmp_path: Path) -> None:
    folder = folder_with(tmp_path)
    (folder / ".CI/prepare").symlink_to("/etc/passwd")
    with pytest.raises(InterfereError, match=r"a/\.CI/prepare is no plain file"):
        Interfere.of_folder(folder, origin="a")


@pytest.mark.parametrize(
    ("pkgbase", "pkgbuild", "needed"),
    [
        ("a", b"", ()),
        ("a-git", b"", ("git",)),
        ("a-svn", b"", ("subversion",)),
        ("a-bzr", b"", ("breezy",)),
        ("a-hg", b"", ("mercurial",)),
        ("git-a", b"", ()),
        ("lib32-a-git", b"", ("git", "multilib-devel")),
        ("a", b"options=(!strip ccache)\n", ("ccache",)),
        ("a", b"options+=('lto'\n  \"ccache\")\n", ("ccache",)),
        ("a", b"options=(!ccache)\n", ()),
        ("a", b"makedepends=(ccache)\n", ()),
    ],
)
def test_some_packages_need_more_than_they_say(
    pkgbase: str, pkgbuild: bytes, needed: tuple[str, ...]
) -> None:
    assert needed_packages(pkgbase, pkgbuild) == needed


def test_code_for_one_processor_only_is_noticed() -> None:
    assert has_native(b'CFLAGS+=" -march=native"')
    assert not has_native(b'CFLAGS+=" -march=x86-64-v3"')
