"""The branches `update-PKG`: changes that wait for somebody to look at them.

They are made apart from the branch of the packages, each with one commit on top of it. A branch
that somebody else has changed is theirs, and left alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from caur_ci.git import RefUpdate, TreeEntry
from caur_ci.git.repository import TREE_MODE
from caur_ci.package_folders import OWN
from caur_ci.pipeline.on_schedule.plan import ScheduleAction
from caur_ci.pipeline.shared.commit_messages import review_message
from caur_ci.pipeline.shared.memory.own_commits import ReviewBranch
from caur_ci.pipeline.shared.refs import REVIEW_BRANCH

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from caur_ci.git import GitRepository, Identity
    from caur_ci.pipeline.on_schedule.planning import PlannedUpdate

_WAITS = frozenset({ScheduleAction.REVIEW, ScheduleAction.HELD, ScheduleAction.ALARM})


@dataclass(frozen=True, slots=True)
class ReviewChanges:
    """What to push for reviews: the refs, and the branches of ours that are there afterwards.

    `left_alone` are packages whose branches are somebody else's: their changes are not on any.
    """

    updates: tuple[RefUpdate, ...] = ()
    branches: Mapping[str, ReviewBranch] = field(default_factory=dict)
    left_alone: frozenset[str] = frozenset()

    @property
    def notes(self) -> list[str]:
        """What to tell people."""
        return [
            f"branch update-{name} is not as it was made here; it is left alone"
            for name in sorted(self.left_alone)
        ]


class ReviewBranches:
    """The branches as they are on the remote (`there`, by package) and as we made them (`ours`)."""

    def __init__(
        self,
        git: GitRepository,
        *,
        there: Mapping[str, str],
        ours: Mapping[str, ReviewBranch],
        identity: Identity,
    ) -> None:
        self._git = git
        self._there = there
        self._ours = {name: one for name, one in ours.items() if there.get(name) == one.commit}
        self._identity = identity

    def changes(
        self, base: str, planned: Sequence[PlannedUpdate], *, rejected: Collection[str] = ()
    ) -> ReviewChanges:
        """Return what becomes of the branches, when the packages are as at the commit `base`.

        Of `rejected` packages ours go. One that is merged right now stays until the next run: the
        forge is to see that it was merged, not that it was removed.
        """
        entries = {entry.name: entry for entry in self._git.entries(base)}
        waiting = {
            one.package.name: one for one in planned if one.decision.action in _WAITS and one.tree
        }
        merged = {one.package.name for one in planned if one.merges}
        updated = {
            one.package.name for one in planned if one.decision.action is ScheduleAction.UPDATE
        }
        updated |= {*rejected}.intersection(self._ours)
        branches = dict(self._ours)
        updates: list[RefUpdate] = []
        left_alone: set[str] = set()
        for name, commit in self._there.items():
            if name in waiting or name in merged:
                continue
            if self._is_obsolete(name, entries.get(name), updated):
                branches.pop(name, None)
                updates.append(RefUpdate(f"{REVIEW_BRANCH}{name}", "", commit))
        for name, one in waiting.items():
            if name in branches and branches[name].tree == one.tree:
                continue
            if name in self._there and name not in self._ours:
                left_alone.add(name)
                continue
            branches[name] = self._branch(base, entries, one)
            ref = f"{REVIEW_BRANCH}{name}"
            updates.append(RefUpdate(ref, branches[name].commit, self._there.get(name)))
        return ReviewChanges(tuple(updates), branches, frozenset(left_alone))

    def rebased(
        self, changes: ReviewChanges, base: str, folders: Mapping[str, str]
    ) -> ReviewChanges:
        """Return the changes with the branches of some packages made anew on top of `base`.

        There, these have the folders `folders`, with other files of the repository's own: the
        branches take these over.
        """
        entries = {entry.name: entry for entry in self._git.entries(base)} if folders else {}
        branches = dict(changes.branches)
        updates = {update.ref: update for update in changes.updates}
        for name, folder in folders.items():
            if name not in branches:
                continue
            proposed = self._git.entries(branches[name].tree)
            own = [entry for entry in self._git.entries(folder) if entry.name in OWN]
            tree = self._git.write_tree([*(it for it in proposed if it.name not in OWN), *own])
            message = self._git.messages(None, branches[name].commit)[0].text
            commit = self._committed(base, entries, name, tree, message)
            branches[name] = ReviewBranch(commit=commit, base=base, tree=tree)
            ref = f"{REVIEW_BRANCH}{name}"
            updates[ref] = RefUpdate(ref, commit, self._there.get(name))
        return replace(changes, updates=tuple(updates.values()), branches=branches)

    def _is_obsolete(self, name: str, there: TreeEntry | None, updated: Collection[str]) -> bool:
        """Tell whether a branch has been merged, or is about something that has passed."""
        if name in self._ours:
            merged = there is None or there.object_id == self._ours[name].tree
            return merged or name in updated
        # By the existing system, or changed by somebody: only if there is nothing left to merge.
        tree = self._git.object_id(f"{self._there[name]}:{name}")
        return there is not None and tree == there.object_id

    def _branch(
        self, base: str, entries: Mapping[str, TreeEntry], one: PlannedUpdate
    ) -> ReviewBranch:
        name = one.package.name
        message = review_message(name, one.reasons, one.decision.link)
        commit = self._committed(base, entries, name, one.tree, message)
        return ReviewBranch(commit=commit, base=base, tree=one.tree)

    def _committed(
        self, base: str, entries: Mapping[str, TreeEntry], name: str, tree: str, message: str
    ) -> str:
        changed = {**entries, name: TreeEntry(TREE_MODE, tree, name)}
        return self._git.write_commit(
            self._git.write_tree(changed.values()),
            message,
            parents=[base],
            identity=self._identity,
        )
