"""Publishes what a pipeline decided: the tag `scheduled` and branch `caur`, in one atomic step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.errors import GitError
from caur_ci.git import RefUpdate, Remote
from caur_ci.pipeline.commit_range import SCHEDULED_TAG
from caur_ci.pipeline.memory import MEMORY_BRANCH, Memory

if TYPE_CHECKING:
    from collections.abc import Collection

    from caur_ci.git import Credentials, GitRepository, Identity
    from caur_ci.pipeline.ledger import LedgerEntry
    from caur_ci.request import BuildRequest


@dataclass(frozen=True, slots=True)
class SharedRefs:
    """What the refs that all runs share pointed to when this run looked; None: no such ref."""

    tag: str | None
    memory: str | None


class Shared:
    """The place where runs meet: the remote, or this repository itself where it has none."""

    def __init__(self, git: GitRepository, remote: Remote | None) -> None:
        self._git = git
        self.remote = remote

    @classmethod
    def open(
        cls, git: GitRepository, *, remote: str | None, credentials: Credentials | None
    ) -> Shared:
        """Open the remote of that name, by default `origin` if there is one.

        Raises GitError where the remote asked for is not configured.
        """
        known = git.remotes()
        if remote is not None and remote not in known:
            raise GitError(
                f"{git.folder} has no remote {remote!r}",
                hint=f"It has: {', '.join(known)}." if known else "It has no remote at all.",
            )
        name = remote or ("origin" if "origin" in known else None)
        return cls(git, Remote(git, name, credentials) if name else None)

    def look(self) -> SharedRefs:
        """Return where the shared refs are now, with the objects behind branch `caur` here."""
        if self.remote is None:
            return SharedRefs(self._local(SCHEDULED_TAG), self._local(MEMORY_BRANCH))
        refs = self.remote.refs(SCHEDULED_TAG, MEMORY_BRANCH)
        seen = SharedRefs(refs.get(SCHEDULED_TAG), refs.get(MEMORY_BRANCH))
        if seen.memory is not None and self._git.resolve(seen.memory) is None:
            self.remote.fetch(seen.memory)
        return seen

    def publish(
        self,
        seen: SharedRefs,
        *,
        head: str,
        request: BuildRequest,
        decisions: Collection[LedgerEntry] = (),
        identity: Identity,
        push_options: Collection[str],
    ) -> bool:
        """Move the tag to `head`, put `request`, if it asks for anything, into the outbox, and
        `decisions` into the ledger.

        Tells whether the refs were still as `seen`; if not, nothing was changed.
        """
        updates = [RefUpdate(SCHEDULED_TAG, head, seen.tag)]
        if request or decisions:
            memory = self.memory(seen).with_run(request, decisions).write(self._git, identity)
            updates.append(RefUpdate(MEMORY_BRANCH, memory, seen.memory))
        return self._update(updates, push_options)

    def acknowledge(
        self,
        seen: SharedRefs,
        request_ids: Collection[str],
        *,
        identity: Identity,
        push_options: Collection[str],
    ) -> bool:
        """Take requests that the queue has acknowledged out of the outbox; see `publish`."""
        before = self.memory(seen)
        after = before.acknowledged(request_ids)
        if after == before:
            return True
        memory = after.write(self._git, identity)
        return self._update([RefUpdate(MEMORY_BRANCH, memory, seen.memory)], push_options)

    def memory(self, seen: SharedRefs) -> Memory:
        """Return what branch `caur` held when this run looked. Raises InputError."""
        return Memory.read(self._git, seen.memory)

    def _update(self, updates: list[RefUpdate], push_options: Collection[str]) -> bool:
        if self.remote is None:
            return self._update_local(updates)
        if not self.remote.push(updates, options=push_options):
            return False
        # Our own tag follows, for those who look at this clone.
        tags = {u.ref: (u.new, self._local(u.ref)) for u in updates if u.ref == SCHEDULED_TAG}
        self._git.update_refs(tags)
        return True

    def _update_local(self, updates: list[RefUpdate]) -> bool:
        try:
            self._git.update_refs({u.ref: (u.new, u.expected) for u in updates})
        except GitError:
            if any(self._local(u.ref) != u.expected for u in updates):
                return False
            raise
        return True

    def _local(self, ref: str) -> str | None:
        return self._git.object_id(ref)
