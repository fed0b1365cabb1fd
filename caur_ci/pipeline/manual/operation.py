"""What an operation by hand is: a change of package folders, for reasons, with a message."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from caur_ci.git import TreeEntry
from caur_ci.git.editing import with_files
from caur_ci.git.repository import TREE_MODE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caur_ci.git import GitRepository
    from caur_ci.pipeline.shared.committed_repository import CommittedRepository
    from caur_ci.pipeline.shared.forge import ForgePipeline
    from caur_ci.pipeline.shared.memory.branch import Memory
    from caur_ci.update.source import LastSeen


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """The branch of the packages that is to be changed, what is remembered, and by whom.

    `person` is for people to read.
    """

    git: GitRepository
    repository: CommittedRepository
    memory: Memory
    pipeline: ForgePipeline
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Folders as they are to be: the tree of each, None where it is to go; and likewise files.

    `reasons` are why packages are built or removed then, by folder. Without both, nothing is
    to be done. `notes` are for whoever asked. `seen` is what is to be remembered of the sources of
    packages that are new. Without `builds`, nothing is built because of it.
    """

    message: str = ""
    folders: Mapping[str, str | None] = field(default_factory=dict)
    files: Mapping[str, bytes | None] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seen: Mapping[str, LastSeen] = field(default_factory=dict)
    builds: bool = True

    def onto(self, git: GitRepository, commit: str) -> str:
        """Return the tree of `commit` with the change."""
        top = {entry.name: entry for entry in git.entries(commit)}
        for name, tree in self.folders.items():
            top.pop(name, None)
            if tree is not None:
                top[name] = TreeEntry(TREE_MODE, tree, name)
        changed = git.write_tree(top.values())
        return with_files(git, changed, self.files) if self.files else changed


class Operation(Protocol):
    """Something that people do to package folders."""

    @property
    def name(self) -> str:
        """The name of the command."""
        ...

    def edit(self, branch: Branch) -> Edit:
        """Return what becomes of the folders.

        Raises InputError for what cannot be done: nothing is done then.
        """
        ...


def done_by(done: str, person: str, reason: str) -> str:
    """Return a reason for people, such as "bumped by alice: the linker was broken"."""
    return ": ".join(filter(None, (f"{done} by {person}", reason)))
