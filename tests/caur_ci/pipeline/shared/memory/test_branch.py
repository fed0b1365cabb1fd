"""Branch `caur` as a whole."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import InputError
from caur_ci.git import Identity
from caur_ci.pipeline.shared.memory.branch import Memory
from caur_ci.pipeline.shared.memory.holds import Hold, Holds
from caur_ci.pipeline.shared.memory.ledger import Ledger, LedgerEntry
from caur_ci.pipeline.shared.memory.outbox import Outbox
from caur_ci.pipeline.shared.memory.own_commits import OwnCommits, ReviewBranch
from caur_ci.pipeline.shared.memory.seen import SeenPackages
from caur_ci.request import BuildRequest, PackageRequest
from caur_ci.update.source import LastSeen
from tests.support.objects import MISSING

if TYPE_CHECKING:
    from tests.support.objects import ObjectStore

ME = Identity("Me", "me@example.org")
SEEN = LastSeen(origin="there", commit="1", modified=7)
ENTRY = LedgerEntry(time=1, run="r", commit="c", package="a", decision="update", reason="x")


def request(number: int = 1, *packages: str) -> BuildRequest:
    return BuildRequest(
        request_id=f"{number:032x}",
        created="2026-01-01T00:00:00+00:00",
        source_repo="s",
        target_repo="t",
        commit="c" * 40,
        packages=tuple(PackageRequest(pkgbase=name) for name in packages),
    )


def full() -> Memory:
    review = ReviewBranch(commit="a" * 40, base="b" * 40, tree="d" * 40)
    commits = OwnCommits(last="e" * 40, reviews={"a": review})
    seen = Memory().with_run(request(1, "a"), [ENTRY]).with_sources({"a": SEEN, "b": SEEN}, commits)
    held = seen.with_holds(Holds(packages={"b": Hold(by="bob", since=1, reason="odd")}))
    return replace(held, recalled=frozenset({"b", "c"}))


class TestStoring:
    """It is a commit that knows no other, unless ours were replaced."""

    def test_all_of_it_is_read_again(self, store: ObjectStore) -> None:
        commit = full().write(store.git, ME)

        assert Memory.read(store.git, commit) == full()
        assert set(store.files(commit)) == {
            f"outbox/000000-{1:032x}.json",
            "ledger.jsonl",
            "seen.jsonl",
            "commits.json",
            "holds.json",
            "recalled",
        }
        assert store.git.parents(commit) == []
        assert store.git.messages(None, commit)[0].text == "chore(caur): remember [skip ci]\n"

    def test_nothing_is_an_empty_folder(self, store: ObjectStore) -> None:
        commit = Memory().write(store.git, ME)

        assert store.files(commit) == {}
        assert Memory.read(store.git, commit) == Memory.read(store.git, None) == Memory()

    def test_commits_that_were_replaced_are_its_parents(self, store: ObjectStore) -> None:
        older, newer = store.commits("one", "two")
        memory = Memory(commits=OwnCommits(last="e" * 40, replaced=(newer, older)))

        commit = memory.write(store.git, ME)

        assert store.git.parents(commit) == [newer, older]
        assert Memory.read(store.git, commit) == memory

    def test_those_that_are_missing_here_are_let_go(self, store: ObjectStore) -> None:
        (there,) = store.commits("one")
        memory = Memory(commits=OwnCommits(last="e" * 40, replaced=(MISSING, there)))

        assert store.git.parents(memory.write(store.git, ME)) == [there]

    def test_what_others_keep_there_stays(self, store: ObjectStore) -> None:
        theirs = {"README.md": "x", "more/deep/file": "y", "outbox.txt": "z"}

        memory = Memory.read(store.git, store.commit(theirs)).with_run(request(), [ENTRY])

        assert memory == Memory().with_run(request(), [ENTRY])
        files = store.files(memory.write(store.git, ME))
        assert {name: files[name] for name in theirs} == theirs
        assert set(files) - set(theirs) == {"ledger.jsonl"}

    def test_an_outbox_that_cannot_be_read_is_told(self, store: ObjectStore) -> None:
        with pytest.raises(InputError, match=r"outbox/1\.json on branch caur"):
            Memory.read(store.git, store.commit({"outbox/1.json": "{}"}))

    def test_lines_that_nobody_can_read_stop_nothing(self, store: ObjectStore) -> None:
        commit = store.commit({"ledger.jsonl": "?\n", "seen.jsonl": "?\n", "commits.json": "?"})

        memory = Memory.read(store.git, commit)

        assert (list(memory.ledger), memory.seen, memory.commits) == (
            [],
            SeenPackages(),
            OwnCommits(),
        )

    def test_a_file_in_place_of_the_outbox_is_no_request(self, store: ObjectStore) -> None:
        assert Memory.read(store.git, store.commit({"outbox": "x"})).outbox == Outbox()


class TestChanging:
    """Each step changes its own part, and returns another memory."""

    def test_a_run_that_asks_for_builds(self) -> None:
        memory = full().with_run(request(2, "b"), [])

        assert [one.request_id for one in memory.outbox.requests] == [f"{1:032x}", f"{2:032x}"]
        assert (memory.ledger, memory.seen) == (full().ledger, full().seen)

    def test_a_run_that_asks_for_nothing(self) -> None:
        memory = Memory().with_run(request(2), [ENTRY])

        assert memory.outbox == Outbox()
        assert memory.ledger == Ledger().add([ENTRY])

    def test_sources_that_were_looked_at(self) -> None:
        newer = LastSeen(origin="there", commit="2")

        memory = full().with_sources({"b": newer}, OwnCommits())

        assert (memory.seen.get("a"), memory.seen.get("b")) == (SEEN, newer)
        assert memory.commits == OwnCommits()
        assert (memory.outbox, memory.ledger) == (full().outbox, full().ledger)

    def test_packages_that_are_gone(self) -> None:
        memory = full().pruned_to(["b", "c"])

        assert (memory.seen.get("a"), memory.seen.get("b")) == (LastSeen(), SEEN)
        assert (memory.ledger, memory.commits) == (full().ledger, full().commits)

    def test_requests_that_were_acknowledged(self) -> None:
        memory = full().acknowledged([f"{1:032x}"])

        assert memory.outbox == Outbox()
        assert (memory.ledger, memory.seen) == (full().ledger, full().seen)
