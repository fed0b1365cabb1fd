"""What was seen of packages' sources, by itself and on branch `caur`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.git import GitRepository, Identity
from caur_ci.pipeline.shared.memory.branch import Memory
from caur_ci.pipeline.shared.memory.ledger import Ledger, LedgerEntry
from caur_ci.pipeline.shared.memory.seen import SeenPackages
from caur_ci.request import BuildRequest
from caur_ci.update.source import LastSeen
from tests.support.git import git

if TYPE_CHECKING:
    from pathlib import Path

FULL = LastSeen(
    origin="aur", commit="c" * 40, modified=1_700_000_000, version="1:2-1", maintainer="é"
)
NOTHING_ASKED = BuildRequest(
    request_id="0" * 32,
    created="2026-01-01T00:00:00+00:00",
    source_repo="source",
    target_repo="target",
    commit="c" * 40,
)


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    git(tmp_path, "init", "--quiet")
    return GitRepository.open(tmp_path)


def test_what_is_stored_is_read_again() -> None:
    packages = SeenPackages().updated({"b": FULL, "a+1.2@x": LastSeen(modified=1)})

    stored = packages.to_bytes()

    again = SeenPackages.from_bytes(stored)
    assert (again.get("b"), again.get("a+1.2@x"), again.get("c")) == (
        FULL,
        LastSeen(modified=1),
        LastSeen(),
    )
    assert [line.split(b'"')[3] for line in stored.splitlines()] == [b"a+1.2@x", b"b"]


def test_what_nobody_saw_anew_stays_byte_for_byte() -> None:
    later = b'{"package":"a","commit":"1","mood":"good"}\n'
    packages = SeenPackages.from_bytes(later)

    assert packages.get("a") == LastSeen(commit="1")
    assert packages.updated({"a": LastSeen(commit="1")}) is packages
    assert packages.updated({"b": FULL}).to_bytes().startswith(later)
    assert packages.updated({"a": LastSeen(commit="2")}).get("a") == LastSeen(commit="2")


def test_an_empty_value_forgets() -> None:
    packages = SeenPackages().updated({"a": FULL, "b": FULL})

    assert packages.updated({"a": LastSeen()}).to_bytes() == packages.only({"b"}).to_bytes()
    assert packages.only({"b"}).get("a") == LastSeen()


def test_lines_that_cannot_be_read_harm_no_other() -> None:
    content = b"\n".join(
        [
            b"no json",
            b"[1]",
            b"{}",
            b"\xff",
            b"[" * 100_000,
            b'{"package": "spaced", "commit": "1"}',
            b'{"package":"wrong","commit":1,"modified":true,"version":"3"}',
            b'{"package":"broken","commit":',
            b'{"package":"\\u0061","commit":"escaped"}',
        ]
    )

    packages = SeenPackages.from_bytes(content)

    assert packages.get("spaced") == LastSeen(commit="1")
    assert packages.get("wrong") == LastSeen(version="3")
    assert packages.get("broken") == LastSeen()
    assert packages.get("a") == LastSeen(commit="escaped")


def test_branch_caur_keeps_it_beside_the_rest(repository: GitRepository) -> None:
    entry = LedgerEntry(time=1, run="r", commit="c", package="a", decision="update", reason="")
    memory = Memory().with_run(NOTHING_ASKED, [entry])
    memory = memory.with_sources({"a": FULL, "b": FULL}, memory.commits)

    commit = memory.write(repository, Identity("n", "n@example.org"))
    read = Memory.read(repository, commit)

    assert read == memory
    assert read.seen.get("a") == FULL
    assert read.ledger == Ledger().add([entry])
    assert read.pruned_to({"b"}).seen.get("a") == LastSeen()
    assert git(repository.folder, "ls-tree", "--name-only", commit) == "ledger.jsonl\nseen.jsonl"


def test_a_branch_of_before_has_nothing_seen(repository: GitRepository) -> None:
    assert Memory.read(repository, None).seen.get("a") == LastSeen()
    without = Memory().write(repository, Identity("n", "n@example.org"))
    assert Memory.read(repository, without) == Memory()


def test_which_are_gone() -> None:
    seen = {"a": LastSeen(modified=-1), "b": LastSeen(modified=1, version="1:-1"), "c": FULL}

    assert SeenPackages().updated(seen).gone() == ["a"]
