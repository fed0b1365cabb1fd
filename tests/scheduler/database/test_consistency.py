"""What `repo verify` finds: everything that a reader could stumble over."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from caur_ci.process import run
from scheduler.database.consistency import verify
from scheduler.database.signing import Keyring
from tests.support.packages import gnupg_folder, make_package

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.packages import SigningKey
    from tests.support.shelf import Shelf

TOOL = "tool-2-1-any.pkg.tar.zst"


def findings(shelf: Shelf, home: Path) -> list[tuple[str, str]]:
    with shelf.open() as repository:
        return [(each.file, each.problem) for each in verify(repository, Keyring(home))]


def _replace_link(folder: Path) -> None:
    (folder / "repo.db").unlink()
    (folder / "repo.db").write_bytes((folder / "repo.db.tar.zst").read_bytes())


def _unsign(folder: Path) -> None:
    (folder / f"{TOOL}.sig").write_bytes((folder / "other-1-1-any.pkg.tar.zst.sig").read_bytes())


def _list_by_hand(folder: Path) -> None:
    made = make_package(folder, "manual")
    run(["repo-add", "--nocolor", "repo.db.tar.zst", f"./{made.name}"], cwd=folder)


DAMAGES: dict[str, tuple[Callable[[Path], object], tuple[str, str]]] = {
    "gone": (lambda folder: (folder / TOOL).unlink(), (TOOL, "cannot be read")),
    "short": (lambda folder: os.truncate(folder / TOOL, 5), (TOOL, "has 5 bytes")),
    "unsigned": (lambda folder: (folder / f"{TOOL}.sig").unlink(), (f"{TOOL}.sig", "is missing")),
    "wrongly signed": (_unsign, (f"{TOOL}.sig", "is not a good signature")),
    "link": (_replace_link, ("repo.db", "is no link to repo.db.tar.zst")),
    "database gone": (
        lambda folder: (folder / "repo.db.tar.zst").unlink(),
        ("repo.db.tar.zst", "is missing"),
    ),
    "database broken": (
        lambda folder: (folder / "repo.files.tar.zst").write_bytes(b"no archive"),
        ("repo.files.tar.zst", "cannot be read"),
    ),
    "databases unlike": (
        lambda folder: (folder / "repo.files.tar.zst").write_bytes(
            (folder / "old.files").read_bytes()
        ),
        ("repo.files.tar.zst", "do not agree about tool"),
    ),
    "database signature": (
        lambda folder: (folder / "repo.db.tar.zst.sig").write_bytes(b"none"),
        ("repo.db.tar.zst.sig", "is not a good signature"),
    ),
    "left over": (
        lambda folder: (folder / "x.old").touch(),
        ("x.old", "is not listed"),
    ),
    "grace": (
        lambda folder: (folder / "tool-1-1-any.pkg.tar.zst").unlink(),
        ("tool-1-1-any.pkg.tar.zst", "is gone before its time"),
    ),
    "somebody else": (_list_by_hand, ("repo.db.tar.zst", "somebody else has changed it")),
    "lists": (
        lambda folder: (folder.parent / "pkgs.txt").write_text("tool-1-1/\n"),
        ("../pkgs.txt", "is not what is in the repository"),
    ),
    "time": (
        lambda folder: (folder.parent / "lastupdate").write_text("yesterday\n"),
        ("../lastupdate", "does not hold a time"),
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_found(shelf: Shelf, key: SigningKey, damage: str) -> None:
    shelf.publish(("tool", "1-1"), ("other", "1-1"))
    old = (shelf.folder / "repo.files.tar.zst").read_bytes()
    shelf.publish(("tool", "2-1"))
    assert findings(shelf, key.home) == []
    do, (file, problem) = DAMAGES[damage]
    (shelf.folder / "old.files").write_bytes(old)

    do(shelf.folder)

    found = [(name, text) for name, text in findings(shelf, key.home) if name != "old.files"]
    assert any(name == file and problem in text for name, text in found), found


def test_other_content_of_the_same_length_is_found(shelf: Shelf, key: SigningKey) -> None:
    shelf.publish(("tool", "2-1"))
    path = shelf.folder / TOOL
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)

    assert (TOOL, "has another checksum than listed") in findings(shelf, key.home)


def test_a_file_that_a_generation_needs_is_missed(shelf: Shelf, key: SigningKey) -> None:
    shelf.publish(("tool", "1-1"))
    shelf.publish(("tool", "2-1"))
    shelf.sweep(grace=0)
    (shelf.layout.archive / "tool-1-1-any.pkg.tar.zst").unlink()

    problem = "is gone, so generation 1 cannot be brought back"
    assert findings(shelf, key.home) == [("tool-1-1-any.pkg.tar.zst", problem)]


def test_signatures_by_strangers_are_told(shelf: Shelf) -> None:
    shelf.publish(("tool", "2-1"))
    with gnupg_folder() as home:
        found = findings(shelf, home)
    assert {name for name, text in found if "by a key that is not in" in text} == {
        "repo.db.tar.zst.sig",
        "repo.files.tar.zst.sig",
        f"{TOOL}.sig",
    }


def test_dependencies_that_the_repository_does_not_meet_are_found(
    shelf: Shelf, key: SigningKey
) -> None:
    shelf.publish(("lib", "1-1"), ("gone", "1-1"), extra="provides = libthing.so=1-64\n")
    shelf.publish(("app", "1-1"), extra="depend = lib>=2\ndepend = glibc\ndepend = libthing.so\n")
    shelf.publish(("user", "1-1"), extra="depend = gone\ndepend = lib<2\n")
    shelf.remove("gone")

    assert [each for each in findings(shelf, key.home) if "needs" in each[1]] == [
        ("app-1-1-any.pkg.tar.zst", "needs lib>=2, which is not in the repository"),
        ("user-1-1-any.pkg.tar.zst", "needs gone, which is not in the repository"),
    ]
