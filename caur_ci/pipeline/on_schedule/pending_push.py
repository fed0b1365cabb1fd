"""One step of on-schedule: what is pushed when the decisions meet the branches as they are now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from caur_ci.deptree import DependencyTree, entries_of, write_wire
from caur_ci.git import Identity, RefUpdate
from caur_ci.names import is_package_name
from caur_ci.pipeline.on_commit.commit_range import SCHEDULED_TAG
from caur_ci.pipeline.on_commit.plan import CommitAction, CommitDecision, CommitPlan
from caur_ci.pipeline.on_commit.planning import CommitPlanner
from caur_ci.pipeline.on_schedule.gate import tagged_commit
from caur_ci.pipeline.on_schedule.plan import ScheduleAction, ScheduleDecision, SchedulePlan
from caur_ci.pipeline.on_schedule.review_branches import ReviewBranches
from caur_ci.pipeline.on_schedule.update_commit import BranchTip, UpdateCommit
from caur_ci.pipeline.shared.documents import legacy
from caur_ci.pipeline.shared.documents.assembly import build_request
from caur_ci.pipeline.shared.memory.branch import MEMORY_BRANCH
from caur_ci.pipeline.shared.memory.ledger import summarized
from caur_ci.pipeline.shared.repository import REVIEW_BRANCH
from caur_ci.pipeline.shared.state_branch import STATE_BRANCH, StateBranch
from caur_ci.repository import CommittedFolders
from caur_ci.review import ReviewRequest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from caur_ci.environment import Secrets
    from caur_ci.git import GitRepository
    from caur_ci.pipeline.on_schedule.planning import PlannedUpdate
    from caur_ci.pipeline.on_schedule.reading import FollowedRepository
    from caur_ci.pipeline.on_schedule.review_branches import ReviewChanges
    from caur_ci.pipeline.shared.forge import ForgePipeline
    from caur_ci.pipeline.shared.memory.branch import Memory
    from caur_ci.pipeline.shared.repository import RefSnapshot, SharedRepository
    from caur_ci.request import BuildRequest

RUN = "on-schedule"
_BRANCHES = "refs/heads/"


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingPush:
    """What is to be pushed, and the documents that follow from it.

    `commit` is that of the branch, `state` that of branch `state`, as they are afterwards.
    `reviews` are to be opened once all that is there.
    """

    plan: SchedulePlan
    request: BuildRequest
    commit: str
    state: str | None
    updates: tuple[RefUpdate, ...]
    schedule_params: str
    deptree: str
    reviews: tuple[ReviewRequest, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PushBuilder:
    """Makes the step of one run. `branch` is the full ref name, `now` the time of the run."""

    git: GitRepository
    shared: SharedRepository
    repository: FollowedRepository
    planned: tuple[PlannedUpdate, ...]
    branch: str
    pipeline: ForgePipeline
    environ: Mapping[str, str]
    secrets: Secrets
    now: float

    @property
    def identity(self) -> Identity:
        """Who our commits are by."""
        config = self.repository.config
        return Identity(config.author_name, config.author_email)

    def build(self, snapshot: RefSnapshot) -> PendingPush:
        """Return what is to be pushed, given where the shared refs are.

        Commits that others pushed and that on-commit has not dealt with are dealt with here as
        well: the tag cannot be moved past them otherwise. Raises InputError as on-commit does.
        """
        assert snapshot.branch is not None  # noqa: S101 - the journey has seen to it
        memory = self.shared.memory(snapshot)
        tagged = tagged_commit(self.git, self.shared, snapshot.tag) if snapshot.tag else None
        pushed = (
            None if tagged == snapshot.branch else self._pushed_by_others(snapshot, snapshot.branch)
        )
        new = self._new_branch(snapshot.branch, memory, overwrite=pushed is None)
        tree = self._tree_at(new.commit)
        request = build_request(
            self._builds(new.planned, pushed),
            commit=new.commit,
            tree=tree,
            config=self.repository.config,
            pipeline=self.pipeline,
        )
        reviews = self._reviews(snapshot, memory, new)
        new = replace(new, planned=_without(reviews.left_alone, new.planned))
        plan = self.plan(new.planned, notes=reviews.notes)
        remembered = self._remembered(memory, plan, request, new, reviews, pushed)
        state = self._state(snapshot, new.planned)
        refs = {
            self.branch: (new.commit, snapshot.branch),
            STATE_BRANCH: (state, snapshot.state),
            SCHEDULED_TAG: (new.commit if tagged != new.commit else None, snapshot.tag),
            MEMORY_BRANCH: (self._written(remembered, memory), snapshot.memory),
        }
        return PendingPush(
            plan=plan,
            request=request,
            commit=new.commit,
            state=state,
            updates=(
                *(RefUpdate(ref, n, old) for ref, (n, old) in refs.items() if n and n != old),
                *reviews.updates,
            ),
            schedule_params=legacy.schedule_params(
                request, self.repository.config, keep=tree.packages, environ=self.environ
            ),
            deptree=write_wire(entries_of(tree)),
            reviews=tuple(
                self._review(one)
                for one in new.planned
                if one.decision.action is ScheduleAction.REVIEW
                and one.package.name in reviews.branches
            ),
        )

    def plan(self, planned: Iterable[PlannedUpdate], *, notes: Iterable[str] = ()) -> SchedulePlan:
        """Return the plan for people, machines and the ledger."""
        broken = (
            ScheduleDecision(package=name, action=ScheduleAction.FAILED, reason=reason)
            for name, reason in self.repository.broken.items()
        )
        decisions = (*(one.decision for one in planned), *broken)
        plan = SchedulePlan(
            head=self.repository.head,
            decisions=tuple(sorted(decisions, key=lambda decision: decision.package)),
            warnings=self.repository.warnings,
            notes=tuple(notes),
        )
        return plan.redacted(self.secrets)

    def _pushed_by_others(self, snapshot: RefSnapshot, tip: str) -> CommitPlan:
        """Return what on-commit would decide about the tip of the branch."""
        return CommitPlanner(self.git, self.shared, tip, self.environ).plan(snapshot)

    def _new_branch(self, tip: str, memory: Memory, *, overwrite: bool) -> BranchTip:
        commit = UpdateCommit(
            self.git,
            pipeline=self.pipeline,
            identity=self.identity,
            watermark=self._watermark(),
        )
        return commit.onto(
            tip,
            self.planned,
            own=memory.commits,
            overwrite=overwrite and self.repository.config.overwrite_commits,
            asked=memory.outbox.requests,
        )

    def _watermark(self) -> int:
        """Return up to when the existing system may take the AUR as seen, 0 to leave it as it is.

        It has only the one time for all packages: it must not pass anything not yet taken over.
        """
        followed = [one for one in self.planned if _is_of_aur(one)]
        if any(
            one.decision.action in {ScheduleAction.WAITING, ScheduleAction.FAILED}
            for one in followed
        ):
            return 0
        times = (one.seen.modified if one.seen else one.package.seen.modified for one in followed)
        newest = max(times, default=0)
        return newest if newest > self.repository.watermark else 0

    def _builds(
        self, planned: Sequence[PlannedUpdate], pushed: CommitPlan | None
    ) -> list[CommitDecision]:
        ours = {
            one.package.name: CommitDecision(
                one.package.name,
                CommitAction.BUILD,
                _reason(one.decision),
                one.decision.build_class,
            )
            for one in planned
            if one.decision.builds
        }
        others = pushed.decisions if pushed else ()
        return [*(d for d in others if d.package not in ours), *ours.values()]

    def _tree_at(self, commit: str) -> DependencyTree:
        if commit == self.repository.head:
            return self.repository.tree
        return DependencyTree.read_each(CommittedFolders.at(self.git, commit).each(".SRCINFO"))

    def _reviews(self, snapshot: RefSnapshot, memory: Memory, new: BranchTip) -> ReviewChanges:
        ours = memory.commits.reviews
        self.shared.get(commit for name, commit in snapshot.reviews.items() if name not in ours)
        branches = ReviewBranches(
            self.git, there=snapshot.reviews, ours=ours, identity=self.identity
        )
        return branches.changes(new.commit, new.planned)

    def _remembered(  # noqa: PLR0917 - the parts of one step
        self,
        memory: Memory,
        plan: SchedulePlan,
        request: BuildRequest,
        new: BranchTip,
        reviews: ReviewChanges,
        pushed: CommitPlan | None,
    ) -> Memory:
        own = memory.commits.with_reviews(reviews.branches)
        if new.is_ours:
            own = own.with_commit(new.commit, instead_of=new.replaced)
        link = self.pipeline.url
        entries = summarized(plan.ledger_entries(run=RUN, link=link, now=self.now))
        if pushed:
            entries += pushed.ledger_entries(run=RUN, link=link)
        seen = {one.package.name: one.seen for one in new.planned if one.seen is not None}
        kept = memory.pruned_to(self.repository.folders.packages)
        return kept.with_run(request, entries, seen=seen, commits=own)

    def _state(self, snapshot: RefSnapshot, planned: Iterable[PlannedUpdate]) -> str | None:
        news = [one for one in planned if one.state]
        if not news and self._is_about_all_that_is_there(snapshot.state):
            return snapshot.state
        state = StateBranch.read(self.git, snapshot.state)
        state.keep_only(self.repository.folders.packages)
        for one in news:
            for key, value in one.state.items():
                state.set(one.package.name, key, value)
        return state.write(self.git, self.identity)

    def _is_about_all_that_is_there(self, state: str | None) -> bool:
        """Tell whether branch `state` has no package that is gone."""
        names = {entry.name for entry in self.git.entries(state)} if state else set()
        gone = names.difference(self.repository.folders.packages)
        return not any(map(is_package_name, gone))

    def _review(self, planned: PlannedUpdate) -> ReviewRequest:
        name = planned.package.name
        return ReviewRequest(
            package=name,
            branch=f"{REVIEW_BRANCH}{name}".removeprefix(_BRANCHES),
            target=self.branch.removeprefix(_BRANCHES),
            reasons=planned.reasons,
            link=planned.decision.link,
        )

    def _written(self, remembered: Memory, before: Memory) -> str | None:
        return remembered.write(self.git, self.identity) if remembered != before else None


def _without(names: Collection[str], planned: Iterable[PlannedUpdate]) -> tuple[PlannedUpdate, ...]:
    """Return what is done, so that some packages are looked at again next time."""
    return tuple(
        replace(one, seen=None, state={}) if one.package.name in names else one for one in planned
    )


def _is_of_aur(planned: PlannedUpdate) -> bool:
    source = planned.package.config.source
    return source is not None and source.kind == "aur"


def _reason(decision: ScheduleDecision) -> str:
    return f"{decision.versions}: {decision.reason}" if decision.after else decision.reason
