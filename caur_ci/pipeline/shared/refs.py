"""Where runs meet: the refs that all of them share, on the remote."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

from caur_ci.errors import GitError, TemporaryError
from caur_ci.git import RefUpdate, Remote
from caur_ci.pipeline.shared.memory.branch import MEMORY_BRANCH, Memory
from caur_ci.pipeline.shared.state_branch import STATE_BRANCH
from caur_ci.review import BRANCH_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from caur_ci.git import Credentials, GitRepository, Identity


_log = logging.getLogger(__name__)

SCHEDULED_TAG = "refs/tags/scheduled"
_ATTEMPTS = 10
REVIEW_BRANCH = f"refs/heads/{BRANCH_PREFIX}"


@dataclass(frozen=True, slots=True)
class RefSnapshot:
    """What the refs that all runs share pointed to when this run looked; None: no such ref.

    The last three are known only to those who named the `branch` of the packages. `reviews` are
    the branches of reviews, by package.
    """

    tag: str | None
    memory: str | None
    branch: str | None = None
    state: str | None = None
    reviews: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` returned."""
        return cls(**data)


class SharedRepository:
    """The place where runs meet: the remote, or this repository itself where it has none."""

    def __init__(self, git: GitRepository, remote: Remote | None) -> None:
        self._git = git
        self.remote = remote
        self._last_memory: tuple[str | None, Memory] = (None, Memory())

    @classmethod
    def open(
        cls, git: GitRepository, *, remote: str | None, credentials: Credentials | None
    ) -> SharedRepository:
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

    def snapshot(self, branch: str = "") -> RefSnapshot:
        """Return where the shared refs are now, with the objects behind the branches here.

        `branch` is the full ref name of the branch with the packages, for those who change it.
        Raises GitError, and TemporaryError where the remote is out of reach.
        """
        more = (branch, STATE_BRANCH, f"{REVIEW_BRANCH}*") if branch else ()
        names = (SCHEDULED_TAG, MEMORY_BRANCH, *more)
        refs = self._git.refs(*names) if self.remote is None else self.remote.refs(*names)
        reviews = {
            ref.removeprefix(REVIEW_BRANCH): commit
            for ref, commit in refs.items()
            if ref.startswith(REVIEW_BRANCH)
        }
        snapshot = RefSnapshot(
            tag=refs.get(SCHEDULED_TAG),
            memory=refs.get(MEMORY_BRANCH),
            branch=refs.get(branch),
            state=refs.get(STATE_BRANCH),
            reviews=reviews,
        )
        self.fetch_missing((snapshot.memory, snapshot.branch, snapshot.state))
        return snapshot

    def fetch_missing(self, commits: Iterable[str | None]) -> None:
        """Fetch the objects behind these commits, where they are not here.

        Raises GitError, and TemporaryError where the remote is out of reach.
        """
        wanted = {commit for commit in commits if commit is not None}
        missing = sorted(commit for commit in wanted if self._git.resolve(commit) is None)
        if missing and self.remote is not None:
            self.remote.fetch(*missing)

    def memory(self, snapshot: RefSnapshot) -> Memory:
        """Return what branch `caur` held at `snapshot`.

        Raises InputError for an outbox that cannot be read.
        """
        if self._last_memory[0] != snapshot.memory:
            self._last_memory = (snapshot.memory, Memory.read(self._git, snapshot.memory))
        return self._last_memory[1]

    def memory_update(
        self, snapshot: RefSnapshot, memory: Memory, identity: Identity
    ) -> tuple[RefUpdate, ...]:
        """Return the update that sets branch `caur` to `memory`; none where it holds that."""
        if memory == self.memory(snapshot):
            return ()
        commit = memory.write(self._git, identity)
        return (RefUpdate(MEMORY_BRANCH, commit, snapshot.memory),)

    def change_memory(
        self,
        change: Callable[[Memory], Memory],
        *,
        identity: Identity,
        push_options: Collection[str],
    ) -> Memory:
        """Set branch `caur` to what `change` makes of it, and return that.

        It is asked again where others were faster. Raises what `change` does, InputError for a
        branch that cannot be read, GitError where git fails, and TemporaryError where the remote is
        out of reach or others were faster each time: nothing was changed.
        """
        for _ in range(_ATTEMPTS):
            snapshot = self.snapshot()
            memory = change(self.memory(snapshot))
            updates = self.memory_update(snapshot, memory, identity)
            if not updates or self.push(updates, push_options):
                return memory
        raise TemporaryError(
            f"other runs changed branch `caur` first, {_ATTEMPTS} times", hint="Run it again."
        )

    def push(self, updates: Sequence[RefUpdate], push_options: Collection[str]) -> bool:
        """Set the refs, all of them or none; tell whether nobody else had changed them before.

        Raises GitError where the remote refuses, TemporaryError where it is out of reach.
        """
        if self.remote is None:
            return self._update_local(updates)
        if not self.remote.push(updates, options=push_options):
            return False
        # Our own tag follows, for those who look at this clone.
        tags = {u.ref: (u.new, self._local(u.ref)) for u in updates if u.ref == SCHEDULED_TAG}
        try:
            self._git.update_refs(tags)
        except GitError as error:  # a lock left by a job that was killed, for one
            _log.warning("published; only this clone's own tag stays behind: %s", error.message)
        return True

    def _update_local(self, updates: Sequence[RefUpdate]) -> bool:
        try:
            self._git.update_refs({u.ref: (u.new, u.expected) for u in updates})
        except GitError:
            if any(self._local(u.ref) != u.expected for u in updates):
                return False
            raise
        return True

    def _local(self, ref: str) -> str | None:
        return self._git.object_id(ref)
