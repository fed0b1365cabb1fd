"""Published states that come back, and the files that have to be there for that."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from scheduler.database.consistency import verify
from scheduler.database.generations import GenerationError, PublicationKind
from scheduler.database.repository import Retention
from scheduler.database.rollback import roll_back
from scheduler.database.signing import Keyring

if TYPE_CHECKING:
    from scheduler.database.generations import Generation
    from tests.support.packages import SigningKey
    from tests.support.pacman_client import PacmanClient
    from tests.support.shelf import Shelf


def back_to(shelf: Shelf, number: int) -> Generation:
    with shelf.open() as repository:
        return roll_back(repository, number, shelf.signer)


def generations(shelf: Shelf) -> list[Generation]:
    with shelf.open() as repository:
        store = repository.generations
        return [store.get(number) for number in store.numbers()]


def findings(shelf: Shelf, key: SigningKey) -> list[str]:
    with shelf.open() as repository:
        found = verify(repository, Keyring(key.home))
    return [f"{finding.file}: {finding.problem}" for finding in found]


def test_every_published_state_has_a_number_and_says_what_changed(shelf: Shelf) -> None:
    shelf.publish(("a", "1-1"), ("b", "1-1"))
    shelf.publish(("a", "2-1"), ("c", "1-1"))
    shelf.remove("b")

    first, second, third = generations(shelf)
    assert [each.number for each in (first, second, third)] == [1, 2, 3]
    assert first.added == ("a", "b")
    assert (second.kind, second.added, second.updated) == (
        PublicationKind.PUBLISHED,
        ("c",),
        ("a",),
    )
    assert (third.kind, third.removed) == (PublicationKind.REMOVED, ("b",))
    assert third.packages.keys() == third.folders.keys() == {"a", "c"}


def test_an_earlier_state_comes_back_and_pacman_gets_it(
    shelf: Shelf, pacman: PacmanClient, key: SigningKey
) -> None:
    shelf.publish(("tool", "1-1"), ("gone", "1-1"))
    shelf.publish(("tool", "2-1"), ("new", "1-1"))
    shelf.remove("gone")
    pacman.refresh()
    assert pacman.available() == {"tool": "2-1", "new": "1-1"}
    shelf.sweep(grace=0)
    assert "tool-1-1-any.pkg.tar.zst" not in shelf.files()

    made = back_to(shelf, 1)

    assert (made.number, made.kind, made.origin) == (4, PublicationKind.ROLLED_BACK, 1)
    pacman.refresh()
    assert pacman.available() == {"tool": "1-1", "gone": "1-1"}
    pacman.install("tool")
    pacman.install("gone")
    assert findings(shelf, key) == []
    back_to(shelf, 3)
    pacman.refresh()
    assert pacman.available() == {"tool": "2-1", "new": "1-1"}
    # What was just in its time of grace is listed again.
    shelf.sweep(grace=0)
    assert findings(shelf, key) == []


def test_two_builds_of_one_version_are_told_apart(
    shelf: Shelf, pacman: PacmanClient, key: SigningKey
) -> None:
    shelf.publish(("tool", "1-1"), content="first")
    shelf.remove("tool")
    shelf.publish(("tool", "1-1"), content="second")
    second = (shelf.folder / "tool-1-1-any.pkg.tar.zst").read_bytes()
    assert findings(shelf, key) == []

    back_to(shelf, 1)

    assert (shelf.folder / "tool-1-1-any.pkg.tar.zst").read_bytes() != second
    pacman.refresh()
    pacman.install("tool")
    assert (pacman.root / "usr/share/tool").read_text() == "first"
    assert findings(shelf, key) == []
    back_to(shelf, 3)
    assert (shelf.folder / "tool-1-1-any.pkg.tar.zst").read_bytes() == second
    assert findings(shelf, key) == []


def test_what_cannot_come_back_is_told_and_nothing_changes(shelf: Shelf) -> None:
    shelf.publish(("tool", "1-1"))
    shelf.publish(("tool", "2-1"))
    before = shelf.state()
    (shelf.folder / "tool-1-1-any.pkg.tar.zst").write_bytes(b"other")

    with pytest.raises(GenerationError, match="1 files of generation 1 are gone: tool-1-1"):
        back_to(shelf, 1)
    with pytest.raises(GenerationError, match="there is no generation 9; kept are 1, 2"):
        back_to(shelf, 9)
    with pytest.raises(GenerationError, match="is what is published already"):
        back_to(shelf, 2)
    del before["tool-1-1-any.pkg.tar.zst"]
    assert before.items() <= shelf.state().items()


def test_superseded_files_go_from_their_place_to_the_archive_and_then_away(shelf: Shelf) -> None:
    shelf.retention = Retention(grace=3600, generations=1)
    shelf.publish(("tool", "1-1"))
    shelf.publish(("tool", "2-1"))
    both = shelf.files()
    assert "tool-1-1-any.pkg.tar.zst" in both

    shelf.sweep()
    assert shelf.files() == both
    shelf.sweep(grace=0)
    assert shelf.files() == ["tool-2-1-any.pkg.tar.zst", "tool-2-1-any.pkg.tar.zst.sig"]
    assert shelf.files(shelf.layout.archive) == [
        "tool-1-1-any.pkg.tar.zst",
        "tool-1-1-any.pkg.tar.zst.sig",
    ]
    listed = (shelf.layout.home / "pkgs.files.txt").read_text()
    assert listed == "tool-2-1-any.pkg.tar.zst\ntool-2-1-any.pkg.tar.zst.sig\n"
    shelf.sweep()
    assert len(shelf.files(shelf.layout.archive)) == 2
    shelf.sweep(archive_days=0)
    assert shelf.files(shelf.layout.archive) == []


def test_the_archive_keeps_what_a_generation_needs(shelf: Shelf, key: SigningKey) -> None:
    shelf.retention = Retention(grace=0, archive_days=0, generations=2)
    for version in ("1-1", "2-1", "3-1", "4-1"):
        shelf.publish(("tool", version))

    assert [each.number for each in generations(shelf)] == [3, 4]
    assert [name for name in shelf.files() if not name.endswith(".sig")] == [
        "tool-4-1-any.pkg.tar.zst"
    ]
    assert [name for name in shelf.files(shelf.layout.archive) if not name.endswith(".sig")] == [
        "tool-3-1-any.pkg.tar.zst"
    ]
    assert findings(shelf, key) == []


def test_a_repository_that_somebody_else_made_or_changed_can_come_back_as_well(
    shelf: Shelf, key: SigningKey
) -> None:
    shelf.publish(("tool", "1-1"))
    shutil.rmtree(shelf.layout.private)
    shelf.publish(("tool", "2-1"))

    found, published = generations(shelf)
    assert (found.kind, published.kind) == (PublicationKind.FOUND, PublicationKind.PUBLISHED)
    assert published.updated == ("tool",)
    back_to(shelf, 1)
    assert shelf.versions() == {"tool": "1-1"}
    assert findings(shelf, key) == []


def test_files_that_we_did_not_supersede_are_left_alone(shelf: Shelf) -> None:
    shelf.retention = Retention(grace=0, archive_days=0, generations=1)
    shelf.publish(("tool", "1-1"))
    (shelf.folder / "somebody-elses-1-1-any.pkg.tar.zst").touch()
    shelf.publish(("tool", "2-1"))

    assert "somebody-elses-1-1-any.pkg.tar.zst" in shelf.files()


def test_the_lists_say_what_is_there(shelf: Shelf) -> None:
    shelf.publish(("b", "1-1"), ("a++", "1:2-1"))

    home = shelf.layout.home
    assert (home / "pkgs.txt").read_text() == "a++-1:2-1/\nb-1-1/\n"
    assert (home / "pkgs.files.txt").read_text().splitlines() == [
        "a++-1:2-1-any.pkg.tar.zst",
        "a++-1:2-1-any.pkg.tar.zst.sig",
        "b-1-1-any.pkg.tar.zst",
        "b-1-1-any.pkg.tar.zst.sig",
    ]
    published = generations(shelf)[-1].time
    assert (home / "lastupdate").read_text() == f"{int(published)}\n"
    assert (home / "lastupdate").stat().st_mode & 0o777 == 0o644
