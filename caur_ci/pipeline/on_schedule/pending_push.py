"""What on-schedule pushes, when its decisions meet the branches as they are now."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from caur_ci.git import RefUpdate
from caur_ci.names import is_package_name
from caur_ci.pipeline.on_commit.planning import CommitPlanner
from caur_ci.pipeline.on_schedule.applied import Applier
from caur_ci.pipeline.on_schedule.bumps import PlannedBumps, merged
from caur_ci.pipeline.on_schedule.freezing import hold_vanished, released_builds
from caur_ci.pipeline.on_schedule.gate import tagged_commit
from caur_ci.pipeline.on_schedule.grouping import group_notes, grouped
from caur_ci.pipeline.on_schedule.plan import ScheduleAction, ScheduleDecision, SchedulePlan
from caur_ci.pipeline.on_schedule.review_requests import RequestWriter
from caur_ci.pipeline.on_schedule.review_words import frozen_packages
from caur_ci.pipeline.on_schedule.standing import outcomes, stale_notes
from caur_ci.pipeline.shared.committed_repository import CommittedRepository
from caur_ci.pipeline.shared.decision import PackageAction
from caur_ci.pipeline.shared.documents.handover import HandoverDocuments, handover_documents
from caur_ci.pipeline.shared.memory.ledger import summarized
from caur_ci.pipeline.shared.refs import REVIEW_BRANCH, SCHEDULED_TAG
from caur_ci.pipeline.shared.state_branch import STATE_BRANCH, StateBranch
from caur_ci.policy import Action
from caur_ci.review import BRANCH_PREFIX

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from caur_ci.pipeline.on_commit.plan import CommitPlan
    from caur_ci.pipeline.on_schedule.applied import Applied
    from caur_ci.pipeline.on_schedule.followed_repository import FollowedRepository
    from caur_ci.pipeline.on_schedule.planning import PlannedUpdate
    from caur_ci.pipeline.on_schedule.provenance import Provenance
    from caur_ci.pipeline.on_schedule.review_branches import ReviewChanges
    from caur_ci.pipeline.on_schedule.review_words import WordsDone
    from caur_ci.pipeline.on_schedule.update_commit import BranchTip
    from caur_ci.pipeline.shared.context import RunContext
    from caur_ci.pipeline.shared.decision import PackageDecision
    from caur_ci.pipeline.shared.memory.branch import Memory
    from caur_ci.pipeline.shared.memory.holds import Holds
    from caur_ci.pipeline.shared.memory.ledger import LedgerEntry
    from caur_ci.pipeline.shared.memory.troubles import Troubles
    from caur_ci.pipeline.shared.refs import RefSnapshot
    from caur_ci.review import ReviewRequest, Said

RUN = "on-schedule"
_BRANCHES = "refs/heads/"


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingPush:
    """What is to be pushed, and the documents that follow from it.

    `commit` is that of the branch, `state` that of branch `state`, as they are afterwards.
    Once all that is there, `review_requests` are to be open; `review_branches` are those that
    there are then, and `rejected` those whose requests are to be closed by what somebody said.
    """

    plan: SchedulePlan
    documents: HandoverDocuments
    commit: str
    state: str | None
    updates: tuple[RefUpdate, ...]
    review_requests: tuple[ReviewRequest, ...] = ()
    review_branches: frozenset[str] = frozenset()
    rejected: Mapping[str, Said] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushBuilder:
    """Makes the push of one run: what is planned after people were heard, and bumps.

    `now` is the time of the run, in Unix seconds.
    """

    context: RunContext
    repository: FollowedRepository
    heard: WordsDone
    provenance: Provenance
    now: float
    bumps: PlannedBumps = field(default_factory=PlannedBumps)

    @property
    def planned(self) -> tuple[PlannedUpdate, ...]:
        """What is done about the packages, on the commit that it was planned for."""
        return self.heard.planned

    @property
    def problems(self) -> tuple[str, ...]:
        """What everybody is to hear, and what could not be done."""
        alarms = (
            f"alarm: {one.package.name}: {one.decision.reason}"
            for one in self.planned
            if one.decision.action is ScheduleAction.ALARM
        )
        people = (*alarms, *self.provenance.problems())
        return (*people, *self.heard.problems, *self.bumps.news.problems)

    @property
    def _vanished(self) -> Iterator[str]:
        """What everybody is to hear, though the run has dealt with it."""
        for one in self.planned:
            if one.vanished is Action.ALARM:
                yield (
                    f"alarm: {one.package.name}: {one.decision.reason}. It is put on hold; "
                    "`caur-ci recall` shows what was built from it"
                )

    def build(self, snapshot: RefSnapshot) -> PendingPush:
        """Return what is to be pushed, given where the shared refs are.

        Commits that others pushed and that on-commit has not dealt with are dealt with here as
        well: the tag cannot be moved past them otherwise. Raises InputError as on-commit does.
        """
        assert snapshot.branch is not None  # noqa: S101 - the journey has seen to it
        memory = self.context.shared.memory(snapshot)
        tagged = tagged_commit(self.context, snapshot.tag) if snapshot.tag else None
        pushed = None if tagged == snapshot.branch else self._pushed_by_others(snapshot)
        applied = Applier(
            context=self.context, repository=self.repository, heard=self.heard, bumps=self.bumps
        ).onto(
            snapshot.branch,
            snapshot,
            memory,
            overwrite=pushed is None and self.repository.committed.config.overwrite_commits,
        )
        tip, reviews, bumped = applied.tip, applied.reviews, applied.bumped
        notes = (*reviews.notes, *_left_out(pushed))
        plan = self.schedule_plan(tip.planned, bumped.decisions, notes=notes)
        troubles = self._troubles(memory, plan, reviews)
        config = self.repository.committed.config
        plan = replace(plan, notes=(*plan.notes, *stale_notes(troubles, config, self.now)))
        documents = self._documents(_builds(plan, tip, memory), tip.commit, pushed)
        state = self._state(snapshot, tip.planned, bumped.version_state)
        remembered = (
            self._new_memory(memory, applied)
            .with_troubles(troubles)
            .with_run(documents.request, self._ledger_entries(plan, pushed))
        )
        # It may be an annotated tag of the same commit.
        moves_tag = tagged != tip.commit
        return PendingPush(
            plan=plan,
            documents=documents,
            commit=tip.commit,
            state=state,
            updates=(
                *_ref_update(self.context.branch, snapshot.branch, tip.commit),
                *_ref_update(STATE_BRANCH, snapshot.state, state),
                *_ref_update(SCHEDULED_TAG, snapshot.tag, tip.commit if moves_tag else None),
                *self.context.shared.memory_update(
                    snapshot,
                    _leaving_out(remembered, pushed),
                    self.repository.committed.identity,
                ),
                *reviews.updates,
            ),
            review_requests=tuple(self._review_requests(applied, memory.holds)),
            review_branches=_branches_after(snapshot, reviews),
            rejected={
                f"{BRANCH_PREFIX}{name}": it.said for name, it in self.heard.rejections.items()
            },
        )

    def schedule_plan(
        self,
        planned: Iterable[PlannedUpdate] | None = None,
        bumps: Iterable[ScheduleDecision] | None = None,
        *,
        notes: Iterable[str] = (),
    ) -> SchedulePlan:
        """Return the plan for people, machines and the ledger, by default that of this run."""
        broken = (
            ScheduleDecision(package=name, action=ScheduleAction.FAILED, reason=reason)
            for name, reason in self.repository.broken.items()
        )
        known = self.planned if planned is None else planned
        decided = (one.decision for one in known)
        committed = self.repository.committed
        decisions = grouped(
            merged((*decided, *broken), self.bumps.decisions if bumps is None else bumps),
            self.bumps,
            committed.deptree,
            committed.config,
        )
        plan = SchedulePlan(
            head=self.repository.commit,
            decisions=tuple(sorted(decisions, key=lambda decision: decision.package)),
            warnings=self.repository.warnings,
            notes=(
                *self._vanished,
                *notes,
                *self.bumps.notes,
                *self.bumps.news.notes,
                *group_notes(decisions),
            ),
        )
        return plan.redacted(self.context.secrets)

    def _pushed_by_others(self, snapshot: RefSnapshot) -> CommitPlan:
        """Return what on-commit would decide about the tip of the branch."""
        assert snapshot.branch is not None  # noqa: S101 - see `build`
        return CommitPlanner.at(self.context, snapshot.branch).plan(snapshot)

    def _documents(
        self, ours: Sequence[PackageDecision], commit: str, pushed: CommitPlan | None
    ) -> HandoverDocuments:
        return handover_documents(
            self.context,
            [*_decisions_of_others(pushed, {decision.package for decision in ours}), *ours],
            self._committed_at(commit),
        )

    def _committed_at(self, commit: str) -> CommittedRepository:
        if commit == self.repository.commit:
            return self.repository.committed
        return CommittedRepository.read(self.context.git, commit)

    def _new_memory(self, memory: Memory, applied: Applied) -> Memory:
        """Return the memory with what was made and seen, without packages that are gone."""
        tip = applied.tip
        commits = memory.commits.with_reviews(applied.reviews.branches)
        if tip.is_new:
            commits = commits.with_commit(tip.commit, instead_of=tip.replaced)
        seen = {one.package.name: one.seen for one in tip.planned if one.seen is not None}
        vcs = {
            one.package.name: one.vcs.seen(builds=one.decision.builds)
            for one in tip.planned
            if one.vcs is not None
        }
        kept = memory.pruned_to(self.repository.committed.folders.packages)
        kept = kept.with_adoptions(self.provenance.news)
        kept = kept.with_holds(hold_vanished(kept.holds, tip.planned, now=self.now))
        return (
            kept.with_sources(seen, commits)
            .with_upstreams(vcs)
            .with_libraries(applied.bumped.libraries)
            .with_reviews(
                replace(
                    memory.reviews.with_rejections(self.heard.rejections.items()),
                    waiting=applied.waiting,
                    held=self.heard.words.held,
                )
            )
        )

    def _troubles(self, memory: Memory, plan: SchedulePlan, reviews: ReviewChanges) -> Troubles:
        found = outcomes(plan.decisions, in_review=reviews.branches)
        known = memory.troubles.only(self.repository.committed.folders.packages)
        return known.after(found, self.now)

    def _ledger_entries(self, plan: SchedulePlan, pushed: CommitPlan | None) -> list[LedgerEntry]:
        link = self.context.forge_pipeline.url
        entries = summarized(plan.ledger_entries(run=RUN, link=link, now=self.now))
        return entries + (pushed.ledger_entries(run=RUN, link=link, now=self.now) if pushed else [])

    def _state(
        self,
        snapshot: RefSnapshot,
        planned: Iterable[PlannedUpdate],
        version_state: bytes | None,
    ) -> str | None:
        news = {one.package.name: one.new_state for one in planned if one.new_state}
        is_known = version_state is None and self._has_only_existing_packages(snapshot.state)
        if not news and is_known:
            return snapshot.state
        state = StateBranch.read(self.context.git, snapshot.state)
        state.keep_only(self.repository.committed.folders.packages)
        for name, values in news.items():
            for key, value in values.items():
                state.set(name, key, value)
        if version_state is not None:
            state.version_state = version_state
        return state.write(self.context.git, self.repository.committed.identity)

    def _has_only_existing_packages(self, state: str | None) -> bool:
        """Tell whether branch `state` has no package that is gone."""
        names = {entry.name for entry in self.context.git.entries(state)} if state else set()
        gone = names.difference(self.repository.committed.folders.packages)
        return not any(map(is_package_name, gone))

    def _review_requests(self, applied: Applied, holds: Holds) -> Iterator[ReviewRequest]:
        """Yield what is to be open, but for what is on hold or has just been merged."""
        tip = applied.tip
        merged = {one.package.name for one in tip.planned if one.merges}
        writer = RequestWriter(context=self.context, repository=self.repository, base=tip.commit)
        yield from writer.requests(
            applied.reviews.branches,
            applied.waiting,
            without=merged | frozen_packages(self.heard) | holds.packages.keys(),
        )


def _builds(plan: SchedulePlan, tip: BranchTip, memory: Memory) -> list[PackageDecision]:
    """Return the builds of the plan, and those that were left out while packages were on hold."""
    ours = plan.builds()
    named = {decision.package for decision in ours}
    released = released_builds(tip.planned, memory.holds)
    return [*ours, *(decision for decision in released if decision.package not in named)]


def _branches_after(snapshot: RefSnapshot, reviews: ReviewChanges) -> frozenset[str]:
    """Return the names of the branches of reviews that there are after the push."""
    removed = {update.ref for update in reviews.updates if not update.new}
    there = {f"{REVIEW_BRANCH}{name}" for name in (*snapshot.reviews, *reviews.branches)}
    return frozenset(ref.removeprefix(_BRANCHES) for ref in there - removed)


def _ref_update(ref: str, old: str | None, new: str | None) -> tuple[RefUpdate, ...]:
    return (RefUpdate(ref, new, old),) if new and new != old else ()


def _decisions_of_others(pushed: CommitPlan | None, ours: Collection[str]) -> list[PackageDecision]:
    decisions = pushed.decisions if pushed else ()
    return [decision for decision in decisions if decision.package not in ours]


def _left_out(pushed: CommitPlan | None) -> Iterator[str]:
    for decision in pushed.decisions if pushed else ():
        if decision.action in {PackageAction.LEFT_OUT, PackageAction.HELD}:
            yield f"{decision.package} was pushed meanwhile and is left out: {decision.reason}"


def _leaving_out(memory: Memory, pushed: CommitPlan | None) -> Memory:
    """Return the memory with what others pushed and is not built, because it is on hold."""
    return memory.with_holds(memory.holds.leaving_out(pushed.on_hold)) if pushed else memory
