"""Turns bumps into a commit of their own, on top of that with the updates.

It can be done again on another commit, when somebody was faster.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from caur_ci.git import TreeEntry
from caur_ci.git.repository import TREE_MODE
from caur_ci.pipeline.on_schedule.plan import ScheduleAction, ScheduleDecision
from caur_ci.pipeline.shared.commit_messages import bump_message

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from caur_ci.git import Identity
    from caur_ci.pipeline.on_schedule.bumps import PlannedBump, PlannedBumps
    from caur_ci.pipeline.on_schedule.update_commit import BranchTip
    from caur_ci.pipeline.shared.context import RunContext
    from caur_ci.pipeline.shared.memory.libraries import LibraryMemory

_OVERTAKEN = "somebody changed the package meanwhile; it is bumped next time"


@dataclass(frozen=True, slots=True)
class BumpedTip:
    """The branch with the bumps, what was decided about them, and what is to be remembered.

    `bumped` are the packages that have other folders now, with these.
    """

    tip: BranchTip
    bumped: Mapping[str, str]
    decisions: tuple[ScheduleDecision, ...]
    libraries: LibraryMemory
    version_state: bytes | None


class BumpCommit:
    """Makes the commit with the bumps."""

    def __init__(self, context: RunContext, *, identity: Identity) -> None:
        self._git = context.git
        self._pipeline = context.forge_pipeline
        self._identity = identity

    def onto(self, tip: BranchTip, planned: PlannedBumps, *, libraries: LibraryMemory) -> BumpedTip:
        """Return the branch at `tip` with the bumps of `planned`.

        `libraries` is what is remembered now. Where that is no longer what the bumps were planned
        with, another run has dealt with the libraries, and there is nothing left to do.
        """
        if libraries != planned.news.before:
            return BumpedTip(tip, {}, (), libraries, None)
        entries = {entry.name: entry for entry in self._git.entries(tip.commit)}
        bumps = [_as_on_the_tip(bump, entries.get(bump.package)) for bump in planned.bumps]
        done = {bump.package: bump for bump in bumps if bump.tree}
        waiting = planned.news.after.waiting.without(
            (*done, *planned.dropped, *_updated(tip, planned))
        )
        return BumpedTip(
            self._committed(tip, entries.values(), done.values()) if done else tip,
            {name: bump.tree for name, bump in done.items()},
            tuple(bump.decision for bump in bumps),
            replace(planned.news.after, waiting=waiting),
            planned.news.version_state,
        )

    def _committed(
        self, tip: BranchTip, entries: Iterable[TreeEntry], bumps: Iterable[PlannedBump]
    ) -> BranchTip:
        top = {entry.name: entry for entry in entries}
        top |= {it.package: TreeEntry(TREE_MODE, it.tree, it.package) for it in bumps}
        commit = self._git.write_commit(
            self._git.write_tree(top.values()),
            bump_message({it.package: it.reason for it in bumps}, self._pipeline),
            parents=[tip.commit],
            identity=self._identity,
        )
        return replace(tip, commit=commit, is_new=True)


def _as_on_the_tip(bump: PlannedBump, there: TreeEntry | None) -> PlannedBump:
    if not bump.tree or (there is not None and there.object_id == bump.base):
        return bump
    decision = replace(
        bump.decision, action=ScheduleAction.WAITING, reason=_OVERTAKEN, after="", builds=False
    )
    return replace(bump, decision=decision, tree="")


def _updated(tip: BranchTip, planned: PlannedBumps) -> set[str]:
    """Return the packages that need no bump, since their updates were made."""
    return {
        one.package.name
        for one in tip.planned
        if one.package.name in planned.updated and one.decision.action is ScheduleAction.UPDATE
    }
