"""What is taken over from a source of PKGBUILDs, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.git import GitRepository, TreeEntry
from caur_ci.git.repository import FILE_MODE, TREE_MODE
from caur_ci.git.trees import EXECUTABLE_MODE, LINK_MODE, SUBMODULE_MODE, UnsafeTreeError
from caur_ci.update import takeover
from caur_ci.update.takeover import take_over
from tests.support.git import git as run_git

if TYPE_CHECKING:
    from pathlib import Path

Files = dict[str, "str | bytes | Files | tuple[str, bytes]"]


class Trees:
    """Makes trees that `git add` would not make."""

    def __init__(self, folder: Path) -> None:
        run_git(folder, "init", "--quiet", "--bare")
        self.git = GitRepository(folder, bare=True)

    def make(self, files: Files) -> str:
        return self.git.write_tree([self._entry(name, file) for name, file in files.items()])

    def package(self, more: Files | None = None) -> str:
        return self.make({"PKGBUILD": "pkgver=2", ".SRCINFO": "pkgver = 2", **(more or {})})

    def paths(self, tree: str) -> list[str]:
        listing = self.git.git("ls-tree", "-r", "--name-only", "-z", tree)
        return [path.decode() for path in listing.split(b"\0") if path]

    def _entry(self, name: str, file: str | bytes | Files | tuple[str, bytes]) -> TreeEntry:
        if isinstance(file, dict):
            return TreeEntry(TREE_MODE, self.make(file), name)
        mode, content = file if isinstance(file, tuple) else (FILE_MODE, file)
        data = content.encode() if isinstance(content, str) else content
        return TreeEntry(mode, self.git.write_blob(data), name)


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    return Trees(tmp_path)


def test_files_come_from_the_source_and_what_is_our_own_stays(trees: Trees) -> None:
    own = trees.make({"PKGBUILD": "old", "gone.patch": "x", ".CI": {"config": "ours"}})
    source = trees.package(
        {
            "fix.patch": "x",
            "keys": {"pgp": {"A.asc": "key"}},
            ".CI": {"config": "theirs", "update.sh": "evil"},
            ".gitignore": "*",
        }
    )

    made = take_over(trees.git, source=source, own=own)

    wanted = [".CI/config", ".SRCINFO", "PKGBUILD", "fix.patch", "keys/pgp/A.asc"]
    assert trees.paths(made) == wanted
    assert list(trees.git.read_blobs([f"{made}:.CI/config", f"{made}:PKGBUILD"])) == [
        b"ours",
        b"pkgver=2",
    ]


def test_the_same_again_changes_nothing(trees: Trees) -> None:
    source = trees.package({"run.sh": (EXECUTABLE_MODE, b"#!/bin/sh")})
    first = take_over(trees.git, source=source, own=None)

    assert take_over(trees.git, source=source, own=first) == first


def test_links_inside_the_folder_are_fine(trees: Trees) -> None:
    source = trees.package({"sub": {"link": (LINK_MODE, b"../PKGBUILD")}})

    assert "sub/link" in trees.paths(take_over(trees.git, source=source, own=None))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"link": (LINK_MODE, b"/etc/passwd")}, "'link' is a link to '/etc/passwd'"),
        ({"link": (LINK_MODE, b"../other/PKGBUILD")}, "outside of the package's folder"),
        ({"a": {"b": (LINK_MODE, b"../../x")}}, "'a/b' is a link"),
        ({"a\nb": "x"}, "is not a name that a package should have"),
        ({"-rf": "x"}, "is not a name"),
        ({"a\\b": "x"}, "is not a name"),
        ({"a\u202eb": "x"}, "is not a name"),
        ({"a\udcffb": "x"}, "is not a name"),
        ({"sub": {".GIT": {"config": "x"}}}, "is no path inside the folder"),
        ({"n" * 256: "x"}, "is not a name"),
    ],
)
def test_what_could_do_harm_is_refused(trees: Trees, more: Files, message: str) -> None:
    with pytest.raises(UnsafeTreeError, match=message.replace("\\", "\\\\")):
        take_over(trees.git, source=trees.package(more), own=None)


def test_a_submodule_is_refused(trees: Trees) -> None:
    commit = TreeEntry(SUBMODULE_MODE, "1" * 40, "sub")
    listing = f"{commit.mode} commit {commit.object_id}\t{commit.name}\0".encode()
    files = trees.git.git("ls-tree", "-z", trees.package())
    source = trees.git.git("mktree", "-z", "--missing", stdin=files + listing).decode().strip()

    with pytest.raises(UnsafeTreeError, match="'sub' is a submodule"):
        take_over(trees.git, source=source, own=None)


@pytest.mark.parametrize("missing", ["PKGBUILD", ".SRCINFO"])
def test_a_source_without_a_package_is_refused(trees: Trees, missing: str) -> None:
    files: Files = {"PKGBUILD": "x", ".SRCINFO": "x", "other": "x"}
    del files[missing]

    with pytest.raises(UnsafeTreeError, match=missing):
        take_over(trees.git, source=trees.make(files), own=None)


def test_a_link_in_place_of_a_folder_of_ours_is_not_followed(trees: Trees) -> None:
    own = trees.package({".CI": {"config": "ours"}})
    source = trees.package({".CI": (LINK_MODE, b"/tmp")})

    assert ".CI/config" in trees.paths(take_over(trees.git, source=source, own=own))


def test_too_much_is_refused(trees: Trees, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(takeover, "LARGEST_FILE", 100)
    monkeypatch.setattr(takeover, "LARGEST_FOLDER", 150)
    monkeypatch.setattr(takeover, "MOST_FILES", 5)

    with pytest.raises(UnsafeTreeError, match="'big' has 101 bytes; 100 are allowed"):
        take_over(trees.git, source=trees.package({"big": b"x" * 101}), own=None)
    with pytest.raises(UnsafeTreeError, match="150 are allowed"):
        take_over(trees.git, source=trees.package({"a": b"x" * 90, "b": b"x" * 90}), own=None)
    with pytest.raises(UnsafeTreeError, match="it has 6 files"):
        take_over(trees.git, source=trees.package(dict.fromkeys("abcd", "")), own=None)


def test_few_trees_that_unfold_to_millions_of_files_are_refused(trees: Trees) -> None:
    blob = TreeEntry(FILE_MODE, trees.git.write_blob(b"x"), "x")
    tree = trees.git.write_tree([blob])
    for _ in range(6):
        tree = trees.git.write_tree([TreeEntry(TREE_MODE, tree, f"{n:x}") for n in range(24)])
    files = {name: trees.git.write_blob(b"") for name in ("PKGBUILD", ".SRCINFO")}
    entries = [TreeEntry(FILE_MODE, blob, name) for name, blob in files.items()]
    bomb = trees.git.write_tree([*entries, TreeEntry(TREE_MODE, tree, "deep")])

    with pytest.raises(UnsafeTreeError, match="more than 50000 files"):
        take_over(trees.git, source=bomb, own=None)


def test_a_path_that_no_disk_holds_is_refused(trees: Trees) -> None:
    deep: Files = {"x": "x"}
    for _ in range(300):
        deep = {"folder": deep}

    with pytest.raises(UnsafeTreeError, match="longer than 1024 bytes"):
        take_over(trees.git, source=trees.package(deep), own=None)


def test_trees_without_an_end_are_refused(trees: Trees) -> None:
    tree = trees.git.write_tree([TreeEntry(FILE_MODE, trees.git.write_blob(b"x"), "x")])
    for _ in range(300):
        tree = trees.git.write_tree([TreeEntry(TREE_MODE, tree, letter * 200) for letter in "ab"])
    files = {name: trees.git.write_blob(b"") for name in ("PKGBUILD", ".SRCINFO")}
    entries = [TreeEntry(FILE_MODE, blob, name) for name, blob in files.items()]
    endless = trees.git.write_tree([*entries, TreeEntry(TREE_MODE, tree, "deep")])

    with pytest.raises(UnsafeTreeError, match="paths without an end"):
        take_over(trees.git, source=endless, own=None)
