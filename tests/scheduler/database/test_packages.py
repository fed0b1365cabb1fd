"""Package files from outside: read strictly, refused by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.process import run
from scheduler.database.packages import PackageError, read_package
from tests.support.packages import make_package

if TYPE_CHECKING:
    from pathlib import Path

GOOD = "pkgname = a\npkgbase = a\npkgver = 1-1\narch = any\n"


@pytest.mark.parametrize(
    ("name", "version", "arch"),
    [
        ("tool", "1-1", "any"),
        ("tally++", "1:2.0_rc1-1.2", "x86_64"),
        ("lib32.so+x", "20240101.r5.gabcdef~1-1", "any"),
    ],
)
def test_a_package_says_what_it_is(tmp_path: Path, name: str, version: str, arch: str) -> None:
    package = read_package(make_package(tmp_path, name, version, arch=arch, base="base"))

    assert (package.pkgname, package.version, package.arch) == (name, version, arch)
    assert package.pkgbase == "base"


def test_a_package_tells_its_files_without_folders_and_what_it_says_of_itself(
    tmp_path: Path,
) -> None:
    package = read_package(make_package(tmp_path, "tool", files=["usr/lib/debug/a", "usr/ä"]))

    names = ["usr/lib/debug/a", "usr/share/tool", "usr/ä"]
    assert sorted(package.files.decode().split("\n")) == names


@pytest.mark.parametrize(
    ("pkginfo", "message"),
    [
        # repo-add would run this as the user that holds the signing key.
        (GOOD + "x[$(touch marker)] = 1\n", "has the line"),
        (GOOD + "PATH = /tmp\n", "has the line"),
        (GOOD + "tmpdir = /\n", "has the line"),
        (GOOD + "  pkgname = linux\n", "has the line"),
        (GOOD + "pkgname=linux\n", "has the line"),
        (GOOD + "pkgdesc = a\0b\n", "has the line"),
        (GOOD + "pkgname = linux\n", "has pkgname twice"),
        (GOOD.replace("pkgver = 1-1\n", ""), "lacks pkgver"),
        (GOOD.replace("pkgname = a", "pkgname = ../../a"), "has the pkgname '../../a'"),
        (GOOD.replace("pkgname = a", "pkgname = -R"), "has the pkgname '-R'"),
        (GOOD.replace("pkgver = 1-1", "pkgver = 1/../2-1"), "has the version '1/../2-1'"),
        (GOOD.replace("pkgver = 1-1", "pkgver = 1$(id)-1"), "has the version"),
        (GOOD.replace("arch = any", "arch = ../x"), "has the architecture"),
    ],
)
def test_a_pkginfo_that_no_makepkg_writes_is_refused(
    tmp_path: Path, pkginfo: str, message: str
) -> None:
    path = make_package(tmp_path, "a", pkginfo=pkginfo)

    with pytest.raises(PackageError) as caught:
        read_package(path)

    assert message in caught.value.message
    assert list(tmp_path.iterdir()) == [path]


def test_a_line_ends_only_where_it_ends_for_other_readers(tmp_path: Path) -> None:
    # Python's splitlines() would see lines here that bash does not, and the other way round.
    path = make_package(tmp_path, "a", pkginfo=GOOD + "pkgdesc = x\x85\u2028\x0b\rpkgname = b\n")

    assert read_package(path).pkgname == "a"


def test_the_name_of_the_file_is_what_the_package_says(tmp_path: Path) -> None:
    path = make_package(tmp_path, "a", filename="linux-9-1-any.pkg.tar.zst")
    with pytest.raises(PackageError, match="says inside that it is a-1-1-any"):
        read_package(path)


def test_what_is_no_package_is_refused(tmp_path: Path) -> None:
    for name, content in {
        "a-1-1-any.pkg.tar.zst": b"no archive",
        "b-1-1-any.pkg.tar.zst": b"",
        "c.txt": b"text",
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(PackageError):
            read_package(tmp_path / name)


def test_a_second_pkginfo_is_refused(tmp_path: Path) -> None:
    for number in "12":
        (tmp_path / number).mkdir()
        (tmp_path / number / ".PKGINFO").write_text(GOOD)
    path = tmp_path / "a-1-1-any.pkg.tar.zst"
    both = ["-C", str(tmp_path / "1"), ".PKGINFO", "-C", str(tmp_path / "2"), "./.PKGINFO"]
    run(["bsdtar", "--zstd", "-cf", path, *both])
    with pytest.raises(PackageError, match=r"holds \.PKGINFO twice"):
        read_package(path)


def test_a_pkginfo_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".PKGINFO").symlink_to("/etc/passwd")
    path = tmp_path / "a-1-1-any.pkg.tar.zst"
    run(["bsdtar", "--zstd", "-cf", path, "-C", tmp_path, ".PKGINFO"])
    with pytest.raises(PackageError, match="is no file"):
        read_package(path)


def test_a_package_that_readers_read_in_different_ways_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_package(tmp_path, "a")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "bsdtar").write_text("#!/bin/sh\necho pkgname = linux\n")
    (tools / "bsdtar").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=":")

    with pytest.raises(PackageError, match="is another one for bsdtar"):
        read_package(path)


def test_an_archive_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".PKGINFO").write_text(GOOD)
    path = tmp_path / "a-1-1-any.pkg.tar.zst"
    for form in ("cpio", "gnutar", "zip"):
        run(["bsdtar", "--zstd", "--format", form, "-cf", path, "-C", tmp_path, ".PKGINFO"])
        with pytest.raises(PackageError):
            read_package(path)
