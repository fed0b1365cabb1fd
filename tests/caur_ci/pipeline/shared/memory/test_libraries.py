"""What is remembered of libraries, by itself and on branch `caur`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import InputError
from caur_ci.git import GitRepository, Identity
from caur_ci.pipeline.shared.memory.branch import Memory
from caur_ci.pipeline.shared.memory.libraries import LibraryMemory, LibraryStep, WaitingBumps
from caur_ci.triggers.moves import LibraryMove
from caur_ci.triggers.snapshots import DatabaseSnapshot
from tests.support.git import git

if TYPE_CHECKING:
    from pathlib import Path

CORE = DatabaseSnapshot(
    url="https://a.example/core.db", etag='"x"', versions={"icu": "1:2-1", "boost": "1-1"}
)


def waiting(*moves: str) -> WaitingBumps:
    """Return who waits after moves like `package icu 1-1 2-1`."""
    found = WaitingBumps()
    for move in moves:
        package, library, before, after = move.split()
        moved = LibraryMove(library=library, before=before, after=after)
        found = found.with_moves([(package, moved, library)])
    return found


def told(bumps: WaitingBumps) -> dict[str, list[str]]:
    return {name: [str(step) for step in steps] for name, steps in bumps.steps.items()}


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        (["a icu 1-1 2-1"], {"a": ["icu 1-1 → 2-1"]}),
        (["a icu 1-1 2-1", "a icu 2-1 3-1"], {"a": ["icu 1-1 → 3-1"]}),
        (["a icu 1-1 2-1", "b icu 2-1 3-1"], {"a": ["icu 1-1 → 2-1"], "b": ["icu 2-1 → 3-1"]}),
        (["a icu 1-1 2-1", "a icu 2-1 1-1"], {}),
        (
            ["a icu 1-1 2-1", "a x 1-1 2-1", "a icu 2-1 1.0-1"],
            {"a": ["x 1-1 → 2-1", "icu 1-1 → 1.0-1"]},
        ),
    ],
)
def test_moves_add_up(moves: list[str], expected: dict[str, list[str]]) -> None:
    assert told(waiting(*moves)) == expected


def test_who_was_bumped_waits_no_longer() -> None:
    bumps = waiting("a icu 1-1 2-1", "b icu 1-1 2-1")

    assert told(bumps.without(["a", "other"])) == {"b": ["icu 1-1 → 2-1"]}
    assert bumps.without(["a", "b"]).to_bytes() == b""


def test_what_is_stored_on_the_branch_is_read_again(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    repository = GitRepository.open(tmp_path)
    libraries = LibraryMemory(waiting=waiting("a icu 1-1 2-1")).with_snapshots([CORE])

    commit = Memory(libraries=libraries).write(repository, Identity("Me", "me@example.org"))
    again = Memory.read(repository, commit).libraries

    assert again == libraries
    assert again.snapshots == (CORE,)
    assert again.waiting.steps == {
        "a": (LibraryStep(library="icu", before="1-1", after="2-1", by="icu"),)
    }
    assert git(tmp_path, "ls-tree", "--name-only", commit).split() == [
        "bumps.json",
        "libraries.txt",
    ]


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"a": [{}]}', b'{"a": 1}', b"\xff"])
def test_who_waits_is_not_forgotten_because_of_a_damaged_file(content: bytes) -> None:
    with pytest.raises(InputError, match=r"bumps\.json on branch caur cannot be read"):
        WaitingBumps.from_bytes(content)
