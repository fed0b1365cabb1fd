"""What a run pushes, for what it decided and where the shared refs are."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from caur_ci.environment import Secrets
from caur_ci.errors import InputError
from caur_ci.git import Identity, RefUpdate
from caur_ci.pipeline.on_schedule.followed_repository import FollowedRepository, read_repository
from caur_ci.pipeline.on_schedule.pending_push import PendingPush, PushBuilder
from caur_ci.pipeline.on_schedule.plan import ScheduleAction
from caur_ci.pipeline.on_schedule.provenance import Provenance
from caur_ci.pipeline.on_schedule.review_words import WordsDone
from caur_ci.pipeline.shared.memory.branch import MEMORY_BRANCH, Memory
from caur_ci.pipeline.shared.memory.own_commits import OwnCommits, ReviewBranch
from caur_ci.pipeline.shared.memory.reviews import WaitingChange
from caur_ci.pipeline.shared.memory.seen import SeenPackages
from caur_ci.pipeline.shared.refs import SCHEDULED_TAG, RefSnapshot
from caur_ci.pipeline.shared.state_branch import STATE_BRANCH
from caur_ci.review import ReviewPoint, ReviewRequest
from caur_ci.update.source import LastSeen
from tests.caur_ci.pipeline.context import MAIN, context_in
from tests.caur_ci.pipeline.on_schedule.planned import planned_for
from tests.support.upstream import files_of

if TYPE_CHECKING:
    from caur_ci.pipeline.on_schedule.planning import PlannedUpdate
    from tests.support.objects import ObjectStore

ME = Identity("Me", "me@example.org")
NOW = 1_800_000_000
REVIEW = "refs/heads/update-a"
CONFIG = "REPO_NAME=target\nBUILD_REPO=target\n"
GONE = LastSeen(origin="there", modified=3)


def repository_files(**versions: str) -> dict[str, str]:
    packages = {"a": "1-1", "b": "1-1"} | versions
    files = {
        f"{name}/{path}": text
        for name, version in packages.items()
        for path, text in files_of(name, version).items()
    }
    return {".ci/config": CONFIG, **files}


@dataclass
class Run:
    """A run at a commit with packages `a` and `b`, which the tag and the branch are at."""

    store: ObjectStore
    files: dict[str, str]
    secrets: Secrets
    read: dict[str, FollowedRepository] = field(default_factory=dict)

    @property
    def commit(self) -> str:
        return self.store.commit(self.files, message="feat: begin")

    @property
    def snapshot(self) -> RefSnapshot:
        return RefSnapshot(tag=self.commit, memory=None, branch=self.commit)

    @property
    def repository(self) -> FollowedRepository:
        if self.commit not in self.read:
            self.read[self.commit] = read_repository(self.store.git, self.commit)
        return self.read[self.commit]

    def planned(
        self,
        action: ScheduleAction,
        *,
        version: str = "2-1",
        reasons: tuple[str, ...] = (),
    ) -> PlannedUpdate:
        """Return what is done about package `a`: it was seen at another time, with a state."""
        return planned_for(
            self.repository.packages["a"],
            action,
            tree=self.store.tree(files_of("a", version)),
            modified=7,
            state={"KEY": "v"},
            reasons=reasons,
            link="https://e/1",
        )

    def builder(self, *planned: PlannedUpdate) -> PushBuilder:
        context = context_in(self.store, self.commit, secrets=self.secrets)
        heard = WordsDone(planned=planned)
        return PushBuilder(
            context=context,
            repository=self.repository,
            heard=heard,
            provenance=Provenance(self.repository, {}, now=NOW),
            now=NOW,
        )

    def pushed_by_others(self, message: str = "feat: theirs", **versions: str) -> RefSnapshot:
        """Return where the refs are when somebody has pushed other versions of packages."""
        tip = self.store.commit(repository_files(**versions), self.commit, message=message)
        return replace(self.snapshot, branch=tip)

    def remembered(self, memory: Memory) -> RefSnapshot:
        return replace(self.snapshot, memory=memory.write(self.store.git, ME))


@pytest.fixture
def run(store: ObjectStore) -> Run:
    return Run(store, repository_files(), Secrets())


def refs(push: PendingPush) -> dict[str, RefUpdate]:
    return {update.ref: update for update in push.updates}


def memory_in(run: Run, push: PendingPush) -> Memory:
    return Memory.read(run.store.git, refs(push)[MEMORY_BRANCH].new)


def asked(push: PendingPush) -> list[str]:
    return [package.pkgbase for package in push.documents.request.packages]


class TestNothing:
    """Where there is nothing new, nothing is pushed."""

    def test_nothing_was_found(self, run: Run) -> None:
        push = run.builder().build(run.snapshot)

        assert (push.updates, push.review_requests) == ((), ())
        assert (push.commit, push.state) == (run.commit, None)
        assert push.documents.request.is_empty
        assert "a" in push.documents.deptree

    def test_a_tag_object_at_the_branch_stays(self, run: Run) -> None:
        snapshot = replace(run.snapshot, tag=run.store.tag(run.commit))

        assert run.builder().build(snapshot).updates == ()

    def test_what_was_only_seen_is_remembered(self, run: Run) -> None:
        planned = replace(run.planned(ScheduleAction.UNCHANGED), state={})

        push = run.builder(planned).build(run.snapshot)

        assert set(refs(push)) == {MEMORY_BRANCH}
        assert memory_in(run, push) == Memory(seen=SeenPackages().updated({"a": _seen(planned)}))

    def test_a_failure_is_told_and_changes_nothing_else(self, run: Run) -> None:
        planned = replace(run.planned(ScheduleAction.FAILED), seen=None, state={})

        push = run.builder(planned).build(run.snapshot)

        assert set(refs(push)) == {MEMORY_BRANCH}
        (entry,) = memory_in(run, push).ledger
        assert (entry.run, entry.package, entry.decision) == ("on-schedule", "a", "failed")
        assert entry.time == NOW


class TestUpdates:
    """An update moves the branch, and all that follows from it, in one push."""

    def test_everything_that_moves(self, run: Run) -> None:
        planned = run.planned(ScheduleAction.UPDATE)

        push = run.builder(planned).build(run.snapshot)

        there = refs(push)
        assert set(there) == {MAIN, STATE_BRANCH, SCHEDULED_TAG, MEMORY_BRANCH}
        assert there[MAIN] == RefUpdate(MAIN, push.commit, run.commit)
        assert there[SCHEDULED_TAG] == RefUpdate(SCHEDULED_TAG, push.commit, run.commit)
        assert there[STATE_BRANCH] == RefUpdate(STATE_BRANCH, push.state or "", None)
        assert there[MEMORY_BRANCH].expected is None
        assert run.store.files(push.commit) == repository_files(a="2-1")
        assert run.store.files(push.state or "") == {"a": "KEY=v\n"}
        memory = memory_in(run, push)
        assert memory.seen.get("a") == _seen(planned)
        assert memory.commits == OwnCommits(last=push.commit)
        assert memory.outbox.requests == (push.documents.request,)
        assert [entry.decision for entry in memory.ledger] == ["update"]

    def test_the_documents_are_about_the_new_commit(self, run: Run) -> None:
        files = files_of("a", "2-1")
        files[".SRCINFO"] += "\tdepends = b\n"
        planned = replace(run.planned(ScheduleAction.UPDATE), tree=run.store.tree(files))

        push = run.builder(planned).build(run.snapshot)

        (package,) = push.documents.request.packages
        assert (package.pkgbase, package.depends) == ("a", ("b",))
        assert push.documents.request.commit == push.commit
        assert push.documents.deptree == "a:a:b;b:b:"

    def test_the_tag_is_moved_from_the_object_that_it_was(self, run: Run) -> None:
        snapshot = replace(run.snapshot, tag=run.store.tag(run.commit))

        push = run.builder(run.planned(ScheduleAction.UPDATE)).build(snapshot)

        assert refs(push)[SCHEDULED_TAG].expected == snapshot.tag

    @pytest.mark.parametrize("annotated", [True, False])
    def test_a_commit_of_ours_is_replaced_where_that_is_wanted(
        self, run: Run, *, annotated: bool
    ) -> None:
        run.files[".ci/config"] += "CI_OVERWRITE_COMMITS=true\n"
        base = run.store.commit({}, message="feat: base")
        ours = run.store.commit(run.files, base, message="chore(update): b\n")
        memory = Memory(commits=OwnCommits(last=ours))
        snapshot = replace(
            run.remembered(memory), tag=run.store.tag(ours) if annotated else ours, branch=ours
        )

        push = run.builder(run.planned(ScheduleAction.UPDATE)).build(snapshot)

        assert refs(push)[MAIN] == RefUpdate(MAIN, push.commit, ours)
        assert run.store.git.parents(push.commit) == [base]
        commits = memory_in(run, push).commits
        assert commits == OwnCommits(last=push.commit, replaced=(ours,))

    def test_a_commit_of_ours_stays_below_what_others_pushed(self, run: Run) -> None:
        run.files[".ci/config"] += "CI_OVERWRITE_COMMITS=true\n"
        tip = run.store.commit(run.files, run.commit, message="chore(update): b\n")
        snapshot = replace(run.remembered(Memory(commits=OwnCommits(last=tip))), branch=tip)

        push = run.builder(run.planned(ScheduleAction.UPDATE)).build(snapshot)

        assert run.store.git.parents(push.commit) == [tip]
        assert memory_in(run, push).commits == OwnCommits(last=push.commit)

    def test_builds_without_files_leave_branch_and_tag_where_they_are(self, run: Run) -> None:
        planned = replace(run.planned(ScheduleAction.BUILD), tree="", state={})

        push = run.builder(planned).build(run.snapshot)

        assert set(refs(push)) == {MEMORY_BRANCH}
        assert (asked(push), push.documents.request.commit) == (["a"], run.commit)


class TestReviews:
    """A change that waits is on a branch of its own."""

    @pytest.mark.parametrize("action", [ScheduleAction.REVIEW, ScheduleAction.HELD])
    def test_only_its_branch_and_what_is_remembered_are_pushed(
        self, run: Run, action: ScheduleAction
    ) -> None:
        planned = run.planned(action, reasons=("odd",))

        push = run.builder(planned).build(run.snapshot)

        assert set(refs(push)) == {REVIEW, MEMORY_BRANCH, STATE_BRANCH}
        branch = refs(push)[REVIEW]
        assert run.store.files(branch.new) == repository_files(a="2-1")
        memory = memory_in(run, push)
        assert memory.commits.last == ""
        assert memory.commits.reviews["a"].commit == branch.new
        assert memory.seen.get("a") == _seen(planned)
        assert asked(push) == []
        known = WaitingChange(
            commit=branch.new, link="https://e/1", points=(ReviewPoint(message="odd"),)
        )
        assert memory.reviews.waiting == {"a": known}
        (request,) = push.review_requests
        assert request == ReviewRequest(
            package="a",
            branch="update-a",
            target="main",
            commit=branch.new,
            points=known.points,
            link="https://e/1",
        )
        assert "-pkgver=1\n+pkgver=2\n" in request.text().patch
        assert "pkgver=[-1-]{+2+}\n" in request.text().words

    @pytest.mark.parametrize("found_again", [True, False])
    def test_a_review_that_is_there_is_asked_for_again(
        self, run: Run, *, found_again: bool
    ) -> None:
        planned = run.planned(ScheduleAction.REVIEW, reasons=("odd",))
        first = run.builder(planned).build(run.snapshot)
        branch = refs(first)[REVIEW].new
        snapshot = replace(
            run.snapshot,
            memory=refs(first)[MEMORY_BRANCH].new,
            state=first.state,
            reviews={"a": branch},
        )

        again = run.builder(*([planned] if found_again else [])).build(snapshot)

        assert again.updates == ()
        assert again.review_requests == first.review_requests

    def test_it_is_on_top_of_the_updates_of_the_same_run(self, run: Run) -> None:
        update = planned_for(
            run.repository.packages["b"],
            ScheduleAction.UPDATE,
            tree=run.store.tree(files_of("b", "2-1")),
        )

        push = run.builder(run.planned(ScheduleAction.REVIEW), update).build(run.snapshot)

        branch = refs(push)[REVIEW].new
        assert run.store.git.parents(branch) == [push.commit]
        assert run.store.files(branch) == repository_files(a="2-1", b="2-1")
        assert run.store.files(push.commit) == repository_files(b="2-1")

    def test_a_branch_of_somebody_else_is_left_alone_and_told(self, run: Run) -> None:
        theirs = run.store.commit(repository_files(a="3-1"), run.commit, message="feat: mine")
        snapshot = replace(run.snapshot, reviews={"a": theirs})

        push = run.builder(run.planned(ScheduleAction.REVIEW)).build(snapshot)

        assert set(refs(push)) == {MEMORY_BRANCH}
        assert push.plan.notes == ("branch update-a is not as it was made here; it is left alone",)
        assert push.review_requests == ()
        memory = memory_in(run, push)
        assert memory.seen.get("a") == LastSeen()
        assert memory.commits.reviews == {}
        assert push.state is None

    def test_a_merged_branch_is_removed_and_forgotten(self, run: Run) -> None:
        tree = run.store.tree(files_of("a", "1-1"))
        merged = run.store.commit(run.files, message="chore(update): a")
        ours = ReviewBranch(commit=merged, base=run.commit, tree=tree)
        memory = Memory(commits=OwnCommits(reviews={"a": ours}))
        snapshot = replace(run.remembered(memory), reviews={"a": merged})

        push = run.builder().build(snapshot)

        assert refs(push)[REVIEW] == RefUpdate(REVIEW, "", merged)
        assert memory_in(run, push).commits.reviews == {}


class TestPushedByOthers:
    """Commits that on-commit has not dealt with are dealt with as it does."""

    def test_the_tag_moves_past_them_and_their_packages_are_built(self, run: Run) -> None:
        snapshot = run.pushed_by_others(b="2-1")

        push = run.builder().build(snapshot)

        assert set(refs(push)) == {SCHEDULED_TAG, MEMORY_BRANCH}
        assert refs(push)[SCHEDULED_TAG] == RefUpdate(
            SCHEDULED_TAG, snapshot.branch or "", run.commit
        )
        assert asked(push) == ["b"]
        assert push.documents.request.commit == snapshot.branch
        (entry,) = memory_in(run, push).ledger
        assert (entry.run, entry.package, entry.reason) == ("on-schedule", "b", "changed")

    def test_updates_go_on_top_of_them(self, run: Run) -> None:
        snapshot = run.pushed_by_others(b="2-1")

        push = run.builder(run.planned(ScheduleAction.UPDATE)).build(snapshot)

        assert run.store.git.parents(push.commit) == [snapshot.branch]
        assert run.store.files(push.commit) == repository_files(a="2-1", b="2-1")
        assert sorted(asked(push)) == ["a", "b"]
        assert refs(push)[SCHEDULED_TAG].new == push.commit

    def test_a_package_is_built_once_for_both(self, run: Run) -> None:
        snapshot = run.pushed_by_others(a="2-1")

        push = run.builder(run.planned(ScheduleAction.UPDATE)).build(snapshot)

        assert asked(push) == ["a"]
        assert push.commit == snapshot.branch
        assert push.documents.request.packages[0].reason == "something"

    def test_a_package_that_they_changed_is_theirs(self, run: Run) -> None:
        snapshot = run.pushed_by_others(a="3-1")

        push = run.builder(run.planned(ScheduleAction.UPDATE)).build(snapshot)

        assert push.commit == snapshot.branch
        assert [decision.action for decision in push.plan.decisions] == [ScheduleAction.WAITING]
        assert (asked(push), push.documents.request.packages[0].reason) == (["a"], "changed")
        assert memory_in(run, push).seen.get("a") == LastSeen()
        assert push.state is None

    def test_without_a_tag_their_last_commit_counts(self, run: Run) -> None:
        snapshot = replace(run.pushed_by_others(b="2-1"), tag=None)

        push = run.builder().build(snapshot)

        assert refs(push)[SCHEDULED_TAG].expected is None
        assert asked(push) == ["b"]

    def test_a_mistake_in_their_messages_stops_the_run(self, run: Run) -> None:
        snapshot = run.pushed_by_others("feat: x [deploy nothing]", b="2-1")

        with pytest.raises(InputError, match="there is no package 'nothing'"):
            run.builder().build(snapshot)


class TestForgetting:
    """What is remembered of packages that are gone goes."""

    def test_branch_state_keeps_packages_that_are_there(self, run: Run) -> None:
        state = run.store.commit({"a": "K=1\n", "gone": "K=1\n", ".version-state": "x"})

        push = run.builder().build(replace(run.snapshot, state=state))

        assert refs(push)[STATE_BRANCH].expected == state
        assert run.store.files(push.state or "") == {"a": "K=1\n", ".version-state": "x"}

    def test_branch_state_without_others_stays(self, run: Run) -> None:
        state = run.store.commit({"a": "KEY=v\n", ".version-state": "x"})
        snapshot = replace(run.snapshot, state=state)

        assert run.builder().build(snapshot).updates == ()
        known = replace(run.planned(ScheduleAction.UNCHANGED), seen=None)
        assert run.builder(known).build(snapshot).updates == ()

    def test_what_was_seen_of_their_sources_goes(self, run: Run) -> None:
        seen = SeenPackages().updated({"gone": GONE, "b": GONE})

        push = run.builder().build(run.remembered(Memory(seen=seen)))

        assert memory_in(run, push).seen == SeenPackages().updated({"b": GONE})


class TestPlan:
    """The plan that people read."""

    def test_packages_with_a_broken_configuration_have_failed(self, run: Run) -> None:
        run.files["b/.CI/config"] = "CI_FORCE_VCS=perhaps\n"

        plan = run.builder(run.planned(ScheduleAction.UPDATE)).schedule_plan()

        assert [(one.package, one.action.value) for one in plan.decisions] == [
            ("a", "update"),
            ("b", "failed"),
        ]
        assert "CI_FORCE_VCS" in plan.decisions[1].reason
        assert plan.head == run.commit

    def test_secrets_are_in_none_of_it(self, run: Run) -> None:
        run.secrets = Secrets({"ACCESS_TOKEN": "something"})

        plan = run.builder(run.planned(ScheduleAction.UPDATE)).schedule_plan(
            notes=["something else"]
        )

        assert (plan.decisions[0].reason, plan.notes) == ("***", ("*** else",))


class TestAgain:
    """When others were faster, the same decisions are applied to what they pushed."""

    def test_it_can_be_built_for_another_snapshot_and_for_the_first_again(self, run: Run) -> None:
        builder = run.builder(run.planned(ScheduleAction.UPDATE))
        first = builder.build(run.snapshot)
        theirs = run.pushed_by_others(a="3-1", b="2-1")

        second = builder.build(theirs)
        third = builder.build(run.snapshot)

        assert (second.commit, sorted(asked(second))) == (theirs.branch, ["a", "b"])
        assert run.store.files(third.commit) == run.store.files(first.commit)
        assert [(u.ref, u.expected) for u in third.updates] == [
            (u.ref, u.expected) for u in first.updates
        ]
        assert third.plan == first.plan
        assert third.documents.request.request_id != first.documents.request.request_id

    def test_another_memory_is_added_to(self, run: Run) -> None:
        builder = run.builder(run.planned(ScheduleAction.UPDATE))
        first = builder.build(run.snapshot)
        other = run.remembered(Memory(seen=SeenPackages().updated({"b": GONE})))

        second = builder.build(other)

        assert refs(second)[MEMORY_BRANCH].expected == other.memory
        assert memory_in(run, second).seen.get("b") == GONE
        assert memory_in(run, first).seen.get("b") == LastSeen()
        assert len(memory_in(run, second).outbox.requests) == 1


def _seen(planned: PlannedUpdate) -> LastSeen:
    assert planned.seen is not None
    return planned.seen
