"""Turns decisions into commits. Only git objects are made: nothing is visible until it is pushed.

It can be done again on another commit, when somebody was faster, with the same decisions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from caur_ci.git import TreeEntry
from caur_ci.git.repository import FILE_MODE, TREE_MODE
from caur_ci.pipeline.on_schedule.plan import ScheduleAction
from caur_ci.pipeline.on_schedule.reading import AUR_STATE
from caur_ci.pipeline.shared.messages import is_automated, update_message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from caur_ci.git import GitRepository, Identity
    from caur_ci.pipeline.on_schedule.planning import PlannedUpdate
    from caur_ci.pipeline.shared.forge import ForgePipeline
    from caur_ci.pipeline.shared.memory.own_commits import OwnCommits
    from caur_ci.request import BuildRequest

_OVERTAKEN = "somebody changed the package meanwhile; it is looked at again next time"


@dataclass(frozen=True, slots=True)
class BranchTip:
    """The branch of the packages with the updates: a commit of ours, or the tip as it was.

    `replaced` is the commit that ours took the place of, empty where it follows the tip.
    """

    commit: str
    planned: tuple[PlannedUpdate, ...]
    is_ours: bool = False
    replaced: str = ""


class UpdateCommit:
    """Makes the commit with the updates."""

    def __init__(
        self, git: GitRepository, *, pipeline: ForgePipeline, identity: Identity, watermark: int
    ) -> None:
        self._git = git
        self._pipeline = pipeline
        self._identity = identity
        self._watermark = watermark

    def onto(
        self,
        tip: str,
        planned: Sequence[PlannedUpdate],
        *,
        own: OwnCommits,
        overwrite: bool,
        asked: Sequence[BuildRequest],
    ) -> BranchTip:
        """Return the branch at `tip` with the updates of `planned`.

        With `overwrite`, the commit at the tip is replaced where it is an automated one of our
        own (see `own`) that none of `asked`, requests that wait for the queue, refers to.
        Packages that are no longer what they were when they were planned are left alone.
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
        self._write_watermark(entries)
        tree = self._git.write_tree(entries.values())
        parents = self._git.parents(tip) if overwrite else []
        replaces = overwrite and self._may_replace(tip, parents, own, asked)
        names = sorted({*changed, *(self._named_in(parents[0], tip) if replaces else ())})
        commit = self._git.write_commit(
            tree,
            update_message(names, self._pipeline),
            parents=parents if replaces else [tip],
            identity=self._identity,
        )
        return BranchTip(commit, current, is_ours=True, replaced=tip if replaces else "")

    def _may_replace(
        self, tip: str, parents: Sequence[str], own: OwnCommits, asked: Sequence[BuildRequest]
    ) -> bool:
        return (
            tip == own.last
            and len(parents) == 1
            and self._git.resolve(parents[0]) is not None
            and is_automated(self._git.messages(None, tip)[0].text)
            and all(request.commit != tip for request in asked)
            and all(branch.base != tip for branch in own.reviews.values())
        )

    def _named_in(self, parent: str, tip: str) -> set[str]:
        """Return the packages that the commit to be replaced has changed."""
        changes = self._git.changes(parent, tip)
        return {change.name for change in changes if not change.name.startswith(".")}

    def _write_watermark(self, entries: dict[str, TreeEntry]) -> None:
        """Bring `.ci/aur-state` up to date for the existing system, where it is kept there."""
        folder, _, name = AUR_STATE.partition("/")
        if not self._watermark or folder not in entries or not entries[folder].is_folder:
            return
        inner = {entry.name: entry for entry in self._git.entries(entries[folder].object_id)}
        blob = self._git.write_blob(f"{self._watermark}\n".encode())
        inner[name] = TreeEntry(FILE_MODE, blob, name)
        entries[folder] = replace(entries[folder], object_id=self._git.write_tree(inner.values()))


def _as_on_the_tip(planned: PlannedUpdate, entries: Mapping[str, TreeEntry]) -> PlannedUpdate:
    """Return what is done about a package, given what the tip of the branch has."""
    if planned.decision.action not in {
        ScheduleAction.UPDATE,
        ScheduleAction.REVIEW,
        ScheduleAction.HELD,
    }:
        return planned
    there = entries.get(planned.package.name)
    if there is not None and there.object_id in {planned.package.tree, planned.tree}:
        return planned
    waiting = replace(
        planned.decision, action=ScheduleAction.WAITING, reason=_OVERTAKEN, builds=False
    )
    return replace(planned, decision=waiting, seen=None, state={}, tree="")
