"""Which packages a repository holds, at a commit and on disk."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from caur_ci import package_folders as module
from caur_ci.errors import InputError
from caur_ci.package_folders import CommittedFolders, WorkingFolders, unusable_folders
from tests.support.objects import ObjectStore

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    ".ci/config": "x",
    ".hidden/PKGBUILD": "x",
    "README.md": "x",
    "b/PKGBUILD": "pkgname=b\n",
    "b/.CI/config": "X=1\n",
    "a+1.2@x/PKGBUILD": "é\n",
    "Z/other": "x",
    "not a name/PKGBUILD": "x",
    "-x/PKGBUILD": "x",
}
PACKAGES = ("Z", "a+1.2@x", "b")
UNUSABLE = ("-x", "not a name")
PKGBUILDS = {"Z": None, "a+1.2@x": "é\n".encode(), "b": b"pkgname=b\n"}


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore.create(tmp_path / "store.git")


@pytest.fixture
def committed(store: ObjectStore) -> CommittedFolders:
    return CommittedFolders.at(store.git, store.commit(FILES))


@pytest.fixture
def working(tmp_path: Path) -> WorkingFolders:
    for name, content in FILES.items():
        path = tmp_path / "work" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    (tmp_path / "work" / "link").symlink_to("b")
    return WorkingFolders(tmp_path / "work")


@pytest.fixture(params=["committed", "working"])
def folders(request: pytest.FixtureRequest) -> CommittedFolders | WorkingFolders:
    found: CommittedFolders | WorkingFolders = request.getfixturevalue(request.param)
    return found


def test_folders_are_packages_by_their_names(folders: CommittedFolders | WorkingFolders) -> None:
    assert folders.packages == PACKAGES
    assert folders.unusable == UNUSABLE
    assert list(unusable_folders(folders)) == [
        "the folder '-x' is ignored: its name cannot be that of a package",
        "the folder 'not a name' is ignored: its name cannot be that of a package",
    ]


def test_a_file_of_each_is_read(folders: CommittedFolders | WorkingFolders) -> None:
    assert folders.read("PKGBUILD") == PKGBUILDS
    assert folders.read(".CI/config") == {"Z": None, "a+1.2@x": None, "b": b"X=1\n"}


def test_a_file_of_some_is_read_in_their_order(folders: CommittedFolders | WorkingFolders) -> None:
    assert list(folders.read("PKGBUILD", ["b", "Z"]).items()) == [
        ("b", b"pkgname=b\n"),
        ("Z", None),
    ]
    assert folders.read("PKGBUILD", []) == {}


def test_a_folder_is_no_file(folders: CommittedFolders | WorkingFolders) -> None:
    assert folders.read(".CI", ["b"]) == {"b": None}


class TestCommitted:
    """Packages at a commit."""

    def test_their_trees(self, store: ObjectStore, committed: CommittedFolders) -> None:
        assert committed.tree("b") == store.tree({"PKGBUILD": "pkgname=b\n", ".CI/config": "X=1\n"})
        assert committed.commit == store.commit(FILES)

    def test_very_many_are_read_a_part_at_a_time(
        self, committed: CommittedFolders, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read: list[list[str]] = []
        original = CommittedFolders.read

        def counted(
            self: CommittedFolders, file: str, packages: tuple[str, ...]
        ) -> dict[str, bytes | None]:
            read.append(list(packages))
            return original(self, file, packages)

        monkeypatch.setattr(module, "_AT_ONCE", 2)
        monkeypatch.setattr(CommittedFolders, "read", counted)

        contents = committed.contents(["PKGBUILD"])
        assert {name: files.get("PKGBUILD") for name, files in contents.items()} == PKGBUILDS
        assert list(committed.srcinfos()) == [(name, None) for name in PACKAGES]
        assert read == [["Z", "a+1.2@x"], ["b"]]

    def test_a_commit_without_folders(self, store: ObjectStore) -> None:
        folders = CommittedFolders.at(store.git, store.commit({}))

        assert (folders.packages, folders.unusable) == ((), ())
        assert folders.read("PKGBUILD") == {}


class TestWorking:
    """Packages on disk, where anything may lie around."""

    def test_links_are_not_followed(self, tmp_path: Path, working: WorkingFolders) -> None:
        package = tmp_path / "work" / "b"
        (package / "PKGBUILD").unlink()
        (package / "PKGBUILD").symlink_to("/etc/passwd")

        assert working.read("PKGBUILD", ["b"]) == {"b": None}

    def test_a_pipe_keeps_nobody_waiting(self, tmp_path: Path, working: WorkingFolders) -> None:
        os.mkfifo(tmp_path / "work" / "Z" / "PKGBUILD")

        assert working.read("PKGBUILD", ["Z"]) == {"Z": None}

    def test_a_folder_that_cannot_be_read(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="cannot be read: No such file"):
            WorkingFolders(tmp_path / "missing")
