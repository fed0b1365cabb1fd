"""The outbox: build requests that the queue has not acknowledged yet, on branch `caur`.

The branch has one commit without parents that is replaced each time, so it never grows; who
replaces it says which state they saw, so no request of somebody else is lost. It holds at most one
request for each package, because a newer one takes over what an older one asked of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from caur_ci.git import TreeEntry
from caur_ci.git.repository import FILE_MODE, TREE_MODE
from caur_ci.request import BuildRequest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from caur_ci.git import GitRepository, Identity

MEMORY_BRANCH = "refs/heads/caur"
_FOLDER = "outbox"
_MESSAGE = "chore(caur): update outbox [skip ci]\n"


@dataclass(frozen=True, slots=True)
class Outbox:
    """Requests in the order in which they are to be handed over."""

    requests: tuple[BuildRequest, ...] = ()
    # What else is on the branch, kept as it is.
    others: tuple[TreeEntry, ...] = field(default=(), compare=False)

    @classmethod
    def read(cls, git: GitRepository, commit: str | None) -> Self:
        """Read the outbox of `commit` (None: the branch does not exist yet)."""
        if commit is None:
            return cls()
        top = git.entries(commit)
        folder = next((entry for entry in top if entry.name == _FOLDER and entry.is_folder), None)
        others = tuple(entry for entry in top if entry is not folder)
        if folder is None:
            return cls((), others)
        files = sorted(git.entries(folder.object_id), key=lambda entry: entry.name)
        blobs = git.read_blobs([entry.object_id for entry in files])
        return cls(
            tuple(
                BuildRequest.from_json(blob or b"", origin=f"{_FOLDER}/{entry.name} on branch caur")
                for entry, blob in zip(files, blobs, strict=True)
            ),
            others,
        )

    def add(self, request: BuildRequest) -> Outbox:
        """Return the outbox with `request` as its last."""
        older = (_without(earlier, request) for earlier in self.requests)
        return replace(self, requests=(*(rest for rest in older if rest), request))

    def without(self, request_ids: Collection[str]) -> Outbox:
        """Return the outbox without the requests that were acknowledged."""
        left = tuple(r for r in self.requests if r.request_id not in request_ids)
        return replace(self, requests=left)

    def write(self, git: GitRepository, identity: Identity) -> str:
        """Store the outbox and return the commit to which the branch is to be set."""
        files = [
            TreeEntry(FILE_MODE, git.write_blob(request.to_json().encode()), name)
            for name, request in _named(self.requests)
        ]
        entries = list(self.others)
        if files:
            entries.append(TreeEntry(TREE_MODE, git.write_tree(files), _FOLDER))
        return git.write_commit(git.write_tree(entries), _MESSAGE, identity=identity)


def _without(earlier: BuildRequest, newer: BuildRequest) -> BuildRequest:
    """Return what is left of a request after a newer one for the same repository."""
    if (earlier.target_repo, earlier.arch) != (newer.target_repo, newer.arch):
        return earlier
    built = {package.pkgbase for package in newer.packages}
    settled = built.union(newer.remove)
    return replace(
        earlier,
        packages=tuple(p for p in earlier.packages if p.pkgbase not in settled),
        remove=tuple(name for name in earlier.remove if name not in settled),
    )


def _named(requests: Iterable[BuildRequest]) -> Iterable[tuple[str, BuildRequest]]:
    for position, request in enumerate(requests):
        yield f"{position:06d}-{request.request_id}.json", request
