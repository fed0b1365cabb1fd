"""Who owns files in the distribution: indexes that follow its databases."""

from __future__ import annotations

import gzip
import os
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import TemporaryError
from scheduler.database import distribution_files
from scheduler.database.distribution_files import DistributionFiles
from tests.support.linked_world import files_database

if TYPE_CHECKING:
    from pathlib import Path

PATHS = {b"usr/bin/a", b"usr/bin/b"}


@pytest.fixture
def sync(tmp_path: Path) -> Path:
    folder = tmp_path / "sync"
    folder.mkdir()
    return folder


@pytest.fixture
def files(sync: Path, tmp_path: Path) -> DistributionFiles:
    return DistributionFiles([sync], ours=["repo"], cache=tmp_path / "cache")


def write(path: Path, **packages: tuple[str, list[str]]) -> None:
    """Put another database in place, as pacman does."""
    fresh = path.with_name("fresh")
    fresh.write_bytes(gzip.compress(files_database(packages)))
    fresh.rename(path)


def found(files: DistributionFiles, paths: set[bytes] = PATHS) -> dict[tuple[str, str], set[bytes]]:
    return {(each.origin, each.name): set(each.files) for each in files.owners(paths)}


def test_owners_are_found_in_all_databases_but_our_own(
    files: DistributionFiles, sync: Path
) -> None:
    write(sync / "core.files", one=("1-1", ["usr/", "usr/bin/", "usr/bin/a", "usr/bin/z"]))
    write(sync / "extra.files", two=("1-1", ["usr/bin/a", "usr/bin/b"]))
    write(sync / "repo.files", ours=("1-1", ["usr/bin/a"]))

    assert found(files) == {("core", "one"): {b"usr/bin/a"}, ("extra", "two"): PATHS}
    assert found(files, {b"usr/bin/", b"usr/bin/c"}) == {}


def test_what_changes_is_followed(
    files: DistributionFiles, sync: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = sync / "core.files"
    gone = ("1-1", ["usr/bin/b"])
    write(database, one=("1-1", ["usr/bin/a"]), two=("1-1", []), gone=gone)
    assert found(files) == {("core", "one"): {b"usr/bin/a"}, ("core", "gone"): {b"usr/bin/b"}}

    numbered: list[bytes] = []
    number = distribution_files._number

    def noted(path: bytes) -> int:
        numbered.append(path)
        return number(path)

    monkeypatch.setattr(distribution_files, "_number", noted)
    write(database, one=("2-1", ["usr/bin/a"]), two=("1-1", ["usr/bin/b"]))
    files.refresh()

    assert numbered == [b"usr/bin/b"]  # the other list is as it was
    assert found(files) == {("core", "one"): {b"usr/bin/a"}, ("core", "two"): {b"usr/bin/b"}}
    (owner,) = files.owners({b"usr/bin/a"})
    assert owner.package.version == "2-1"


def test_a_database_that_did_not_change_is_not_read_again(
    files: DistributionFiles, sync: Path
) -> None:
    database = sync / "core.files"
    write(database, one=("1-1", ["usr/bin/a"]))
    before = found(files)
    status = database.stat()
    with database.open("r+b") as stream:
        stream.write(bytes(status.st_size))
    os.utime(database, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert found(files) == before


def test_a_file_names_its_neighbour(sync: Path, tmp_path: Path) -> None:
    write(sync / "core.files", one=("1-1", ["usr/bin/a"]))
    for place in ("core.db", "core.files"):
        files = DistributionFiles([sync / place], cache=tmp_path / "cache")
        assert found(files) == {("core", "one"): {b"usr/bin/a"}}
    assert found(DistributionFiles([sync / "extra.db"], cache=tmp_path / "cache")) == {}


def test_paths_are_found_as_bsdtar_lists_them(files: DistributionFiles, sync: Path) -> None:
    write(sync / "core.files", one=("1-1", ["usr/\\303\\244", "usr/ö", "usr/a\\\\b"]))
    paths = {"usr/ä".encode(), "usr/ö".encode(), b"usr/a\\b"}

    assert found(files, paths) == {("core", "one"): paths}


def test_a_damaged_database_leaves_the_index_as_it_was(
    files: DistributionFiles, sync: Path
) -> None:
    database = sync / "core.files"
    write(database, one=("1-1", ["usr/bin/a"]))
    before = found(files)
    whole = database.read_bytes()
    database.write_bytes(whole[:-30])

    with pytest.raises(TemporaryError, match=r"core\.files cannot be read"):
        files.refresh()

    database.write_bytes(whole)
    assert found(files) == before


def test_a_damaged_index_is_made_anew(files: DistributionFiles, sync: Path, tmp_path: Path) -> None:
    write(sync / "core.files", one=("1-1", ["usr/bin/a"]))
    before = found(files)
    (index,) = (tmp_path / "cache").iterdir()
    index.write_bytes(b"no database at all" * 100)

    assert found(files) == before
