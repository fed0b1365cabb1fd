"""Sync databases, real ones and ones that somebody has tampered with."""

from __future__ import annotations

import io
import os
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caur_ci.process import run
from caur_ci.syncdb import (
    DatabaseLimits,
    FileList,
    SyncDatabaseError,
    SyncPackage,
    read_entries,
    read_file_lists,
    read_packages,
)
from tests.support.packages import make_package
from tests.support.sync_databases import archive, compressed, desc

if TYPE_CHECKING:
    from pathlib import Path

PROGRAMS = ["gzip", "xz", "zstd", ""]
ONE = {"zlib-1:1.3-1/": b"", "zlib-1:1.3-1/desc": desc("zlib", "1:1.3-1", provides=["libz.so=1"])}
ZLIB = SyncPackage(
    name="zlib",
    version="1:1.3-1",
    base="zlib",
    filename="zlib-1:1.3-1-any.pkg.tar.zst",
    provides=("libz.so=1",),
)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("packages")
    lib = make_package(
        folder,
        "libfoo",
        "2:1.5.r3.gabc-1.1",
        base="foo",
        arch="x86_64",
        extra="depend = glibc>=2.3\nprovides = libfoo.so=3-64\nconflict = foo\nreplaces = oldfoo\n",
    )
    return [lib, make_package(folder, "foo-tools+x", "1-1")]


@pytest.mark.parametrize("suffix", ["gz", "xz", "zst"])
def test_what_repo_add_writes_is_read(packages: list[Path], tmp_path: Path, suffix: str) -> None:
    database = tmp_path / f"test.db.tar.{suffix}"
    run(["repo-add", "-q", database, *packages])

    found = {package.name: package for package in read_packages(database)}
    # As the servers have it: a name that does not tell how it is compressed.
    lists = {it.name: it for it in read_file_lists((tmp_path / "test.files").read_bytes())}

    assert found["libfoo"] == SyncPackage(
        name="libfoo",
        version="2:1.5.r3.gabc-1.1",
        base="foo",
        arch="x86_64",
        filename="libfoo-2:1.5.r3.gabc-1.1-x86_64.pkg.tar.zst",
        depends=("glibc>=2.3",),
        provides=("libfoo.so=3-64",),
        conflicts=("foo",),
        replaces=("oldfoo",),
    )
    assert sorted(found) == sorted(lists) == ["foo-tools+x", "libfoo"]
    assert lists["libfoo"].version == "2:1.5.r3.gabc-1.1"
    assert "usr/share/libfoo" in lists["libfoo"].files
    assert list(read_file_lists(database)) == []


def test_a_files_database_has_both(packages: list[Path], tmp_path: Path) -> None:
    run(["repo-add", "-q", tmp_path / "test.db.tar.gz", *packages])

    entries = list(read_entries(tmp_path / "test.files"))

    assert sorted((type(it).__name__, it.name) for it in entries) == [
        ("FileList", "foo-tools+x"),
        ("FileList", "libfoo"),
        ("SyncPackage", "foo-tools+x"),
        ("SyncPackage", "libfoo"),
    ]


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_compression_is_told_by_the_content(program: str) -> None:
    assert list(read_packages(compressed(archive(ONE), program))) == [ZLIB]


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_is_cut_off_is_found_out(program: str) -> None:
    many = {f"p{n}-1-1/desc": desc(f"p{n}", "1-1") for n in range(50)}
    whole = compressed(archive(many), program)

    for size in (len(whole) // 3, len(whole) - (12 if program else 12 * 1024)):
        with pytest.raises(SyncDatabaseError):
            list(read_packages(whole[:size]))


@pytest.mark.parametrize("program", ["gzip", "xz", "zstd"])
def test_a_changed_byte_is_found_out(program: str) -> None:
    whole = bytearray(compressed(archive(ONE), program))
    whole[len(whole) // 2] ^= 0xFF

    with pytest.raises(SyncDatabaseError):
        list(read_packages(bytes(whole)))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no archive"),
        (b"<html><body>not found</body></html>", "no archive"),
        (compressed(b"x" * 4096, "gzip"), "no tar archive"),
        (archive({"a-1-1/desc": desc("b", "1-1")}), "another package"),
        (archive({"a-1-1/desc": desc("a", "1-2")}), "another package"),
        (archive({"a-1-1/desc": b"nothing"}), "another package"),
        (archive({"a-1-1/desc": desc("a", "1-1", base="../x")}), "pkgbase"),
        (archive({"-a-1-1/desc": desc("-a", "1-1")}), "lists b'-a'"),
        (archive({"a\n-1-1/desc": desc("a", "1-1")}), "lists b'a"),
        (archive({"a-\x01-1/desc": desc("a", "1-1")}), "lists b'a' in version"),
        (
            archive([("a-1-1/desc", desc("a", "1-1")), ("./a-1-2/desc", desc("a", "1-2"))]),
            "a twice",
        ),
        (archive({"a-1-1/desc": desc("a", "1-1") + desc("a", "1-1")}), "twice"),
        (archive({"a-1-1/desc": desc("a", "1-1", depends=["x" * 70_000])}), "a line of more"),
        (archive(ONE) + b"more", "behind its end"),
    ],
    # gzip puts the time into what it makes: names have to be the same in all processes.
    ids=lambda value: value if isinstance(value, str) else "archive",
)
def test_what_makes_no_sense_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(SyncDatabaseError, match=words):
        list(read_packages(content))


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (DatabaseLimits(unpacked=3000), "too large without"),
        (DatabaseLimits(entries=1), "too many entries"),
        (DatabaseLimits(desc=20), "more than 20 bytes"),
    ],
)
def test_there_are_bounds(limits: DatabaseLimits, words: str) -> None:
    with pytest.raises(SyncDatabaseError, match=words):
        list(read_packages(compressed(archive(ONE), "gzip"), limits=limits))


def test_an_archive_that_is_small_only_when_compressed_is_given_up() -> None:
    bomb = compressed(archive({"a-1-1/files": b"\n" * 30_000_000}), "zstd")

    with pytest.raises(SyncDatabaseError, match="has more than"):
        list(read_file_lists(bomb, limits=DatabaseLimits(file_list=1_000_000)))
    with pytest.raises(SyncDatabaseError, match="too large without"):
        list(read_packages(bomb, limits=DatabaseLimits(unpacked=1_000_000)))


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_form_of_long_names_is_read(form: int) -> None:
    name = "n" * 90
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as tar:
        for file in ("desc", "files"):
            member = tarfile.TarInfo(f"{name}-1.{'2' * 30}-1/{file}")
            content = desc(name, f"1.{'2' * 30}-1") if file == "desc" else b"%FILES%\nusr/\n"
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))

    entries = list(read_entries(stream.getvalue()))

    assert [it.name for it in entries] == [name, name]
    assert isinstance(entries[1], FileList)
    assert entries[1].files == ("usr/",)


def test_a_reader_that_stops_early_leaves_nothing_behind(tmp_path: Path) -> None:
    many = {f"p{n}-1-1/files": b"%FILES%\n" + b"usr/\n" * 10_000 for n in range(100)}
    entries = read_file_lists(compressed(archive(many), "zstd"))

    assert next(iter(entries)).name == "p0"
    del entries

    children = run(["ps", "--ppid", str(os.getpid()), "-o", "comm="]).stdout.decode()
    assert "zstd" not in children


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=64), st.integers(0, 2048))
def test_whatever_comes_is_read_or_refused(noise: bytes, place: int) -> None:
    content = bytearray(archive(ONE))
    content[place : place + len(noise)] = noise

    try:
        found = list(read_packages(bytes(content)))
    except SyncDatabaseError:
        return
    assert all(package.name == "zlib" for package in found)
