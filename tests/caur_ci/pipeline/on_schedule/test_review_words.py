"""What is done about packages after people have spoken."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from caur_ci.config import PackageConfig
from caur_ci.pipeline.on_schedule.plan import ScheduleAction
from caur_ci.pipeline.on_schedule.review_words import (
    Words,
    WordsDone,
    WordTaker,
    frozen_packages,
)
from caur_ci.pipeline.shared.memory.branch import Memory
from caur_ci.pipeline.shared.memory.own_commits import OwnCommits, ReviewBranch
from caur_ci.pipeline.shared.memory.reviews import Rejection, ReviewMemory, WaitingChange
from caur_ci.pipeline.shared.refs import SharedRepository
from caur_ci.review import Heard, ReviewPoint, Said, Word
from caur_ci.update.source import FindingKind, FollowedPackage
from tests.caur_ci.pipeline.on_schedule.planned import planned_for
from tests.support.objects import MISSING

if TYPE_CHECKING:
    from caur_ci.pipeline.on_schedule.planning import PlannedUpdate
    from tests.support.objects import ObjectStore

OLD = {"PKGBUILD": "1", ".CI/config": "x"}
NEW = {"PKGBUILD": "2", ".CI/config": "x"}
NEWER = {"PKGBUILD": "3", ".CI/config": "x"}
PAGE = "https://e/1"
HELD = "on hold by bob since 1970-01-01 00:00 UTC: the label hold of the request"
APPROVED = "approved by bob on 1970-01-01 00:00 UTC"


@dataclass
class Case:
    """Package `a`, whose change to NEW is in review; `said` are words of bob."""

    store: ObjectStore
    points: tuple[ReviewPoint, ...] = (ReviewPoint(message="odd"),)
    rejected: tuple[Rejection, ...] = ()
    said: list[Said] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=lambda: dict(OLD))

    @property
    def base(self) -> str:
        return self.store.commit({f"a/{path}": text for path, text in OLD.items()})

    @property
    def commit(self) -> str:
        files = {f"a/{path}": text for path, text in NEW.items()}
        return self.store.commit(files, self.base, message="chore(update): a")

    @property
    def branch(self) -> ReviewBranch:
        return ReviewBranch(commit=self.commit, base=self.base, tree=self.store.tree(NEW))

    def say(self, *words: Word, commit: str = "") -> None:
        self.said += [
            Said(
                word=word,
                branch="update-a",
                commit=commit or self.commit,
                by="bob",
                time=9,
                page=PAGE,
            )
            for word in words
        ]

    def done(
        self,
        action: ScheduleAction = ScheduleAction.UNCHANGED,
        files: dict[str, str] | None = None,
        *,
        waiting: str = "",
        found: FindingKind | None = None,
    ) -> WordsDone:
        """Return what is done where this was planned; `waiting` is what is known of a commit."""
        package = FollowedPackage(
            name="a", config=PackageConfig(), tree=self.store.tree(self.files)
        )
        tree = self.store.tree(files) if files else ""
        known = WaitingChange(commit=waiting or self.commit, after="2-1", points=self.points)
        memory = Memory(
            commits=OwnCommits(reviews={"a": self.branch}),
            reviews=ReviewMemory(waiting={"a": known}, rejected={"a": self.rejected}),
        )
        taker = WordTaker(
            self.store.git,
            SharedRepository(self.store.git, None),
            memory=memory,
            words=Words.of(Heard(said=tuple(self.said)), held_before={}),
        )
        one = planned_for(package, action, tree=tree, modified=7, state={"K": "v"})
        return taker.take([replace(one, files=found)])

    def planned(
        self,
        action: ScheduleAction = ScheduleAction.UNCHANGED,
        files: dict[str, str] | None = None,
        *,
        waiting: str = "",
        found: FindingKind | None = None,
    ) -> PlannedUpdate:
        (one,) = self.done(action, files, waiting=waiting, found=found).planned
        return one


@pytest.fixture
def case(store: ObjectStore) -> Case:
    return Case(store)


def test_without_a_word_all_stays_as_planned(case: Case) -> None:
    for action in ScheduleAction:
        planned = case.planned(action, NEW)
        assert planned.decision.action is action
        assert planned.decision.remarks == ()


class TestApproved:
    """What was approved is taken over, if it is what was approved."""

    @pytest.mark.parametrize(
        ("action", "files"),
        [
            (ScheduleAction.UNCHANGED, None),
            (ScheduleAction.BUILD, None),
            (ScheduleAction.REVIEW, NEW),
            (ScheduleAction.HELD, NEW),
        ],
    )
    def test_it_is_taken_over(
        self, case: Case, action: ScheduleAction, files: dict[str, str] | None
    ) -> None:
        case.say(Word.APPROVED)

        planned = case.planned(action, files)

        decision = planned.decision
        assert (decision.action, decision.reason) == (ScheduleAction.UPDATE, APPROVED)
        assert (decision.after, decision.link, decision.builds) == ("2-1", PAGE, True)
        assert (planned.tree, planned.merges) == (case.branch.tree, case.commit)

    @pytest.mark.parametrize(
        ("action", "files"),
        [
            (ScheduleAction.REVIEW, NEWER),
            (ScheduleAction.UPDATE, NEWER),
            (ScheduleAction.WAITING, None),
            (ScheduleAction.FAILED, None),
            (ScheduleAction.GONE, None),
        ],
    )
    def test_not_if_there_may_be_something_newer(
        self, case: Case, action: ScheduleAction, files: dict[str, str] | None
    ) -> None:
        case.say(Word.APPROVED)

        planned = case.planned(action, files)

        assert (planned.decision.action, planned.merges) == (action, "")
        (remark,) = planned.decision.remarks
        assert remark.startswith(f"{APPROVED}, but there is something newer")

    @pytest.mark.parametrize(
        "action", [ScheduleAction.BUILD, ScheduleAction.WAITING, ScheduleAction.FAILED]
    )
    @pytest.mark.parametrize("found", [FindingKind.UNCHANGED, FindingKind.FAILED])
    def test_what_is_wrong_with_an_upstream_repository_does_not_matter(
        self, case: Case, action: ScheduleAction, found: FindingKind
    ) -> None:
        case.say(Word.APPROVED)

        planned = case.planned(action, found=found)

        is_known = found is FindingKind.UNCHANGED
        assert planned.decision.action is (ScheduleAction.UPDATE if is_known else action)

    def test_not_if_the_branch_is_somebody_elses(self, case: Case) -> None:
        case.say(Word.APPROVED, commit=MISSING)

        planned = case.planned()

        assert planned.merges == ""
        assert "not as it was made here" in planned.decision.remarks[0]

    def test_not_if_the_package_was_changed_here(self, case: Case) -> None:
        case.say(Word.APPROVED)
        case.files["mine.patch"] = "mine"

        planned = case.planned()

        assert planned.merges == ""
        assert "was changed here since" in planned.decision.remarks[0]

    def test_a_danger_needs_a_second_word(self, case: Case) -> None:
        case.points = (ReviewPoint(message="odd", severity="danger"),)
        case.say(Word.APPROVED)

        planned = case.planned()
        assert planned.merges == ""
        assert "needs approved-danger as well" in planned.decision.remarks[0]

        case.say(Word.APPROVED_DANGER)
        planned = case.planned()
        assert planned.merges == case.commit
        assert planned.decision.reason.endswith("; approved-danger by bob on 1970-01-01 00:00 UTC")

    def test_the_second_word_alone_is_none(self, case: Case) -> None:
        case.say(Word.APPROVED_DANGER)

        assert case.planned().decision.action is ScheduleAction.UNCHANGED

    def test_what_is_not_known_may_be_a_danger(self, case: Case) -> None:
        case.say(Word.APPROVED)

        assert "approved-danger" in case.planned(waiting=MISSING).decision.remarks[0]


class TestHeld:
    """What is on hold is left as it is, and nothing new about it is lost."""

    @pytest.mark.parametrize(
        ("action", "files"),
        [
            (ScheduleAction.UPDATE, NEWER),
            (ScheduleAction.REVIEW, NEWER),
            (ScheduleAction.UNCHANGED, None),
        ],
    )
    def test_nothing_is_taken_over(
        self, case: Case, action: ScheduleAction, files: dict[str, str] | None
    ) -> None:
        case.say(Word.HOLD, Word.APPROVED)

        done = case.done(action, files)

        (planned,) = done.planned
        assert planned.decision.action is ScheduleAction.HELD
        assert planned.decision.reason == HELD
        assert (planned.tree, planned.merges, planned.decision.builds) == ("", "", False)
        assert (planned.seen is None) is (files is not None)
        assert frozen_packages(done) == {"a"}

    def test_what_failed_still_has(self, case: Case) -> None:
        case.say(Word.HOLD)

        decision = case.planned(ScheduleAction.FAILED).decision

        assert decision.action is ScheduleAction.FAILED
        assert decision.remarks == (HELD,)

    def test_it_stays_so_as_long_as_the_forge_does_not_tell(self, case: Case) -> None:
        case.say(Word.HOLD)
        before = {"b": case.said[0]}

        told = Words.of(Heard(said=tuple(case.said)), held_before=before)
        silent = Words.of(Heard(is_complete=False), held_before=before)

        assert told.held.keys() == {"a"}
        assert silent.held == before


class TestRejected:
    """What was rejected is never proposed again."""

    def test_it_is_remembered_without_what_is_our_own(self, case: Case) -> None:
        case.say(Word.DANGEROUS, Word.APPROVED, Word.APPROVED_DANGER)

        done = case.done()

        assert done.rejections == {"a": Rejection(case.store.tree({"PKGBUILD": "2"}), case.said[0])}
        (planned,) = done.planned
        assert planned.merges == ""
        assert planned.decision.remarks == (f"rejected for good: {case.said[0]}",)

    @pytest.mark.parametrize(
        "action", [ScheduleAction.UPDATE, ScheduleAction.REVIEW, ScheduleAction.HELD]
    )
    def test_the_same_files_are_not_proposed(self, case: Case, action: ScheduleAction) -> None:
        case.say(Word.DANGEROUS)
        rejection = case.done().rejections["a"]
        case.rejected, case.said = (rejection,), []

        planned = case.planned(action, {**NEW, ".CI/config": "y", ".gitignore": "x"})

        assert planned.decision.action is ScheduleAction.HELD
        assert planned.decision.reason.startswith("these files were rejected for good: dangerous")
        assert (planned.tree, planned.decision.builds) == ("", False)
        assert planned.seen is not None

    def test_others_are(self, case: Case) -> None:
        case.say(Word.DANGEROUS)

        planned = case.planned(ScheduleAction.REVIEW, NEWER)

        assert planned.decision.action is ScheduleAction.REVIEW
        assert planned.tree == case.store.tree(NEWER)
        assert len(planned.decision.remarks) == 1

    def test_a_change_by_somebody_else_can_be_rejected(self, case: Case) -> None:
        theirs = case.store.commit({"a/PKGBUILD": "theirs"}, case.base)
        case.say(Word.DANGEROUS, commit=theirs)

        assert case.done().rejections["a"].tree == case.store.tree({"PKGBUILD": "theirs"})

    def test_one_that_cannot_be_read_is_told(self, case: Case) -> None:
        case.say(Word.DANGEROUS, commit=MISSING)

        done = case.done()

        assert done.rejections == {}
        assert PAGE in done.problems[0]

    def test_packages_that_this_run_leaves_out_wait(self, case: Case) -> None:
        case.say(Word.DANGEROUS)
        case.said = [replace(case.said[0], branch="update-b")]

        assert case.done().rejections == {}
