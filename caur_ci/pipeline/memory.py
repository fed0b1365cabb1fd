"""Branch `caur`: what this project remembers from run to run.

The branch has one commit without parents that is replaced each time, so it never grows; who
replaces it says which state they saw, so nothing of somebody else is lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from caur_ci.git import TreeEntry
from caur_ci.git.repository import FILE_MODE, TREE_MODE
from caur_ci.pipeline.ledger import Ledger
from caur_ci.pipeline.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from caur_ci.git import GitRepository, Identity
    from caur_ci.pipeline.ledger import LedgerEntry
    from caur_ci.request import BuildRequest

MEMORY_BRANCH = "refs/heads/caur"
_OUTBOX, _LEDGER = "outbox", "ledger.jsonl"
_MESSAGE = "chore(caur): remember [skip ci]\n"


@dataclass(frozen=True, slots=True)
class Memory:
    """The outbox and the ledger."""

    outbox: Outbox = field(default_factory=Outbox)
    ledger: Ledger = field(default_factory=Ledger)
    # What else is on the branch, kept as it is.
    others: tuple[TreeEntry, ...] = field(default=(), compare=False)

    @classmethod
    def read(cls, git: GitRepository, commit: str | None) -> Self:
        """Read what is remembered in `commit` (None: the branch does not exist yet).

        Raises InputError for an outbox that cannot be read.
        """
        if commit is None:
            return cls()
        top = {entry.name: entry for entry in git.entries(commit)}
        folder, ledger = top.pop(_OUTBOX, None), top.pop(_LEDGER, None)
        others = tuple(top.values())
        files = git.entries(folder.object_id) if folder and folder.is_folder else []
        blobs = list(git.read_blobs([e.object_id for e in (*files, *([ledger] if ledger else ()))]))
        lines = blobs.pop() if ledger else b""
        named = {entry.name: blob or b"" for entry, blob in zip(files, blobs, strict=True)}
        return cls(Outbox.from_files(named), Ledger.from_bytes(lines or b""), others)

    def with_run(self, request: BuildRequest, decisions: Iterable[LedgerEntry]) -> Memory:
        """Return the memory after a run that asked for `request`, if for anything."""
        outbox = self.outbox.add(request) if request else self.outbox
        return replace(self, outbox=outbox, ledger=self.ledger.add(decisions))

    def acknowledged(self, request_ids: Collection[str]) -> Memory:
        """Return the memory without the requests that the queue has acknowledged."""
        return replace(self, outbox=self.outbox.without(request_ids))

    def write(self, git: GitRepository, identity: Identity) -> str:
        """Store the memory and return the commit to which the branch is to be set."""
        entries = list(self.others)
        files = [
            TreeEntry(FILE_MODE, git.write_blob(content), name)
            for name, content in self.outbox.to_files().items()
        ]
        if files:
            entries.append(TreeEntry(TREE_MODE, git.write_tree(files), _OUTBOX))
        if self.ledger.lines:
            entries.append(TreeEntry(FILE_MODE, git.write_blob(self.ledger.to_bytes()), _LEDGER))
        return git.write_commit(git.write_tree(entries), _MESSAGE, identity=identity)
