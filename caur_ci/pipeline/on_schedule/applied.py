"""Applies what is planned: the commits on the branch and the branches in review.

All of it is made of git objects only, and can be made again on another tip when somebody was
faster.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from caur_ci.pipeline.on_schedule.bump_commit import BumpCommit
from caur_ci.pipeline.on_schedule.bumps import PlannedBumps
from caur_ci.pipeline.on_schedule.freezing import apply_holds
from caur_ci.pipeline.on_schedule.review_branches import ReviewBranches
from caur_ci.pipeline.on_schedule.review_requests import waiting_changes
from caur_ci.pipeline.on_schedule.update_commit import UpdateCommit
from caur_ci.pipeline.on_schedule.watermark import watermark_after

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from caur_ci.pipeline.on_schedule.bump_commit import BumpedTip
    from caur_ci.pipeline.on_schedule.followed_repository import FollowedRepository
    from caur_ci.pipeline.on_schedule.planning import PlannedUpdate
    from caur_ci.pipeline.on_schedule.review_branches import ReviewChanges
    from caur_ci.pipeline.on_schedule.review_words import WordsDone
    from caur_ci.pipeline.on_schedule.update_commit import BranchTip
    from caur_ci.pipeline.shared.context import RunContext
    from caur_ci.pipeline.shared.memory.branch import Memory
    from caur_ci.pipeline.shared.memory.own_commits import ReviewBranch
    from caur_ci.pipeline.shared.memory.reviews import WaitingChange
    from caur_ci.pipeline.shared.refs import RefSnapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The branch with updates and bumps, the branches in review, and what waits on these."""

    bumped: BumpedTip
    reviews: ReviewChanges
    waiting: Mapping[str, WaitingChange]

    @property
    def tip(self) -> BranchTip:
        """The branch of the packages as it is afterwards."""
        return self.bumped.tip


@dataclass(frozen=True, slots=True, kw_only=True)
class Applier:
    """Applies the plan of one run."""

    context: RunContext
    repository: FollowedRepository
    heard: WordsDone
    bumps: PlannedBumps = field(default_factory=PlannedBumps)

    def onto(
        self, branch: str, snapshot: RefSnapshot, memory: Memory, *, overwrite: bool
    ) -> Applied:
        """Return what becomes of the commit `branch`; `overwrite` allows to replace it."""
        planned = apply_holds(self.heard.planned, memory.holds)
        identity = self.repository.committed.identity
        tip = UpdateCommit(
            self.context,
            identity=identity,
            watermark=watermark_after(planned, self.repository.watermark),
        ).onto(branch, planned, memory=memory, overwrite=overwrite)
        branches = self._branches_of_reviews(snapshot, memory)
        reviews = branches.changes(tip.commit, tip.planned, rejected=self.heard.rejections)
        waiting = waiting_changes(tip.planned, reviews.branches, memory.reviews.waiting)
        tip = replace(tip, planned=_forget_seen(reviews.left_alone, tip.planned))
        bumped = BumpCommit(self.context, identity=identity).onto(
            tip, self.bumps, libraries=memory.libraries
        )
        if bumped.bumped:
            reviews = self._on_top_of(bumped, branches, reviews)
            waiting = _at_their_tips(waiting, reviews.branches)
        return Applied(bumped=bumped, reviews=reviews, waiting=waiting)

    def _branches_of_reviews(self, snapshot: RefSnapshot, memory: Memory) -> ReviewBranches:
        ours = memory.commits.reviews
        others = (commit for name, commit in snapshot.reviews.items() if name not in ours)
        self.context.shared.fetch_missing(others)
        return ReviewBranches(
            self.context.git,
            there=snapshot.reviews,
            ours=ours,
            identity=self.repository.committed.identity,
        )

    def _on_top_of(
        self, bumped: BumpedTip, branches: ReviewBranches, reviews: ReviewChanges
    ) -> ReviewChanges:
        """Return the reviews with those of bumped packages made anew."""
        concerned = {*reviews.branches}.intersection(bumped.bumped)
        self.context.shared.fetch_missing(reviews.branches[name].commit for name in concerned)
        return branches.rebased(reviews, bumped.tip.commit, bumped.bumped)


def _at_their_tips(
    waiting: Mapping[str, WaitingChange], branches: Mapping[str, ReviewBranch]
) -> dict[str, WaitingChange]:
    """Return what is known of changes whose branches were made anew."""
    return {name: replace(it, commit=branches[name].commit) for name, it in waiting.items()}


def _forget_seen(
    names: Collection[str], planned: Iterable[PlannedUpdate]
) -> tuple[PlannedUpdate, ...]:
    """Return what is done, so that some packages are looked at again next time."""
    return tuple(
        replace(one, seen=None, state={}) if one.package.name in names else one for one in planned
    )
