"""Turns decisions into commits. Only git objects are made: nothing is visible until it is pushed.

It can be done again on another commit, when somebody was faster, with the same decisions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from caur_ci.git import TreeEntry
from caur_ci.git.repository import TREE_MODE
from caur_ci.pipeline.on_schedule.plan import ScheduleAction
from caur_ci.pipeline.on_schedule.watermark import with_watermark
from caur_ci.pipeline.shared.commit_messages import is_automated, update_message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from caur_ci.git import Identity
    from caur_ci.pipeline.on_schedule.planning import PlannedUpdate
    from caur_ci.pipeline.shared.context import RunContext
    from caur_ci.pipeline.shared.memory.branch import Memory

_OVERTAKEN = "somebody changed the package meanwhile; it is looked at again next time"


@dataclass(frozen=True, slots=True)
class BranchTip:
    """The branch of the packages with the updates: a commit of ours, or the tip as it was.

    `replaced` is the commit that ours took the place of, empty where it follows the tip.
    """

    commit: str
    planned: tuple[PlannedUpdate, ...]
    is_new: bool = False
    replaced: str = ""


class UpdateCommit:
    """Makes the commit with the updates."""

    def __init__(self, context: RunContext, *, identity: Identity, watermark: int) -> None:
        self._git = context.git
        self._pipeline = context.forge_pipeline
        self._identity = identity
        self._watermark = watermark

    def onto(
        self,
        tip: str,
        planned: Sequence[PlannedUpdate],
        *,
        memory: Memory,
        overwrite: bool,
    ) -> BranchTip:
        """Return the branch at `tip` with the updates of `planned`.

        With `overwrite`, the commit at the tip is replaced where, as far as `memory` knows, it is
        an automated one of our own that nothing unfinished refers to. Packages that are no longer
        what they were when they were planned are left alone.
        """
        entries = {entry.name: entry for entry in self._git.entries(tip)}
        current = tuple(_as_on_the_tip(one, entries) for one in planned)
        updates = {
            one.package.name: one.tree
            for one in current
            if one.decision.action is ScheduleAction.UPDATE
        }
        changed = {name: tree for name, tree in updates.items() if entries[name].object_id != tree}
        if not changed:
            return BranchTip(tip, current)
        for name, tree in changed.items():
            entries[name] = TreeEntry(TREE_MODE, tree, name)
        top = with_watermark(self._git, entries, self._watermark)
        tree = self._git.write_tree(top.values())
        parents = self._git.parents(tip) if overwrite else []
        # With what was reviewed among the parents, forges know that it was merged.
        merged = [one.merges for one in current if one.merges and one.package.name in changed]
        replaces = overwrite and self._may_replace(tip, parents, memory)
        names = sorted({*changed, *(self._named_in(parents[0], tip) if replaces else ())})
        commit = self._git.write_commit(
            tree,
            update_message(names, self._pipeline),
            parents=[*(parents if replaces else [tip]), *merged],
            identity=self._identity,
        )
        return BranchTip(commit, current, is_new=True, replaced=tip if replaces else "")

    def _may_replace(self, tip: str, parents: Sequence[str], memory: Memory) -> bool:
        return (
            tip == memory.commits.last
            and len(parents) == 1
            and self._git.resolve(parents[0]) is not None
            and is_automated(self._git.messages(None, tip)[0].text)
            and all(request.commit != tip for request in memory.outbox.requests)
            and all(branch.base != tip for branch in memory.commits.reviews.values())
        )

    def _named_in(self, parent: str, tip: str) -> set[str]:
        """Return the packages that the commit to be replaced has changed."""
        changes = self._git.changes(parent, tip)
        return {change.name for change in changes if not change.name.startswith(".")}


def _as_on_the_tip(planned: PlannedUpdate, entries: Mapping[str, TreeEntry]) -> PlannedUpdate:
    """Return what is done about a package, given what the tip of the branch has."""
    if planned.decision.action not in {
        ScheduleAction.UPDATE,
        ScheduleAction.REVIEW,
        ScheduleAction.HELD,
        ScheduleAction.ALARM,
    }:
        return planned
    there = entries.get(planned.package.name)
    if there is not None and there.object_id in {planned.package.tree, planned.tree}:
        return planned
    waiting = replace(
        planned.decision, action=ScheduleAction.WAITING, reason=_OVERTAKEN, builds=False
    )
    return replace(planned, decision=waiting, seen=None, state={}, tree="", merges="")
