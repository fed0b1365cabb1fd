"""What is remembered of libraries: their versions, and whom moves concern that waits for a bump.

A move is seen once, and then the version is known; so who was not bumped for it is written down.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from caur_ci.errors import InputError
from caur_ci.triggers.moves import is_same_version
from caur_ci.triggers.snapshots import (
    DatabaseSnapshot,
    snapshots_from_bytes,
    snapshots_to_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from caur_ci.triggers.moves import LibraryMove

# In place of the name by which a package is concerned: it has lost what it needs.
LOST = ":lost"
# Of one package. That many move at once only where a whole distribution is built anew.
_MOST_STEPS = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryStep:
    """A library's way from one version to another, which concerns a package by the name `by`.

    `by` is empty where the package's configuration could not be read, and LOST where the package
    has lost the library. `asked` is how the rebuild is to be published, where somebody asked for
    it.
    """

    library: str
    before: str
    after: str
    by: str = ""
    asked: str = ""

    def __str__(self) -> str:
        return f"{self.library} {self.before} → {self.after}"


@dataclass(frozen=True, slots=True)
class WaitingBumps:
    """The steps by package that it was not bumped for yet."""

    steps: Mapping[str, tuple[LibraryStep, ...]] = field(default_factory=dict)

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Take what is stored. Raises InputError where that makes no sense."""
        if not content:
            return cls()
        try:
            data: dict[str, list[dict[str, Any]]] = json.loads(content)
            found = {name: tuple(LibraryStep(**it) for it in some) for name, some in data.items()}
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(
                f"bumps.json on branch caur cannot be read: {error!r}",
                hint="Restore an older state of the branch. Without the file, nobody knows which "
                "packages wait for a rebuild.",
            ) from error
        return cls(found)

    def to_bytes(self) -> bytes:
        """Return what is to be stored: nothing where nobody waits."""
        if not self.steps:
            return b""
        data = {name: [_document(it) for it in steps] for name, steps in sorted(self.steps.items())}
        return json.dumps(data, indent=1).encode() + b"\n"

    def with_moves(self, moves: Iterable[tuple[str, LibraryMove, str]]) -> WaitingBumps:
        """Return it with further moves, each with the package and the name by which it concerns it.

        Of a library that moves again, the whole way is told; one that came back leaves nothing.
        """
        steps = {name: list(some) for name, some in self.steps.items()}
        for package, move, by in moves:
            mine = steps.setdefault(package, [])
            old = next((it for it in mine if it.library == move.library), None)
            new = LibraryStep(library=move.library, before=move.before, after=move.after, by=by)
            if old is not None:
                mine.remove(old)
                new = replace(new, before=old.before, asked=old.asked)
            if old is None or not is_same_version(new.before, new.after):
                mine.append(new)
        return WaitingBumps({name: tuple(it[:_MOST_STEPS]) for name, it in steps.items() if it})

    def asked_for(self, packages: Iterable[str], publish: str) -> WaitingBumps:
        """Return it with steps of these packages that somebody asked for."""
        wanted = set(packages)
        return WaitingBumps(
            {
                name: tuple(replace(it, asked=publish) for it in steps) if name in wanted else steps
                for name, steps in self.steps.items()
            }
        )

    def without(self, packages: Iterable[str]) -> WaitingBumps:
        """Return it without packages that wait no longer."""
        gone = set(packages)
        return WaitingBumps({name: it for name, it in self.steps.items() if name not in gone})


def _document(step: LibraryStep) -> dict[str, str]:
    known = {
        "library": step.library,
        "before": step.before,
        "after": step.after,
        "by": step.by,
        "asked": step.asked,
    }
    if not step.asked:  # which older programs do not know
        del known["asked"]
    return known


@dataclass(frozen=True, slots=True)
class LibraryMemory:
    """The versions, as they are stored (see `snapshots`), and the bumps that wait.

    `linkage` is what `caur_ci.rebuild` remembers of what packages need, as it is stored.
    """

    versions: bytes = b""
    waiting: WaitingBumps = field(default_factory=WaitingBumps)
    linkage: bytes = b""

    @property
    def snapshots(self) -> tuple[DatabaseSnapshot, ...]:
        """What is known of each database; taken apart anew each time."""
        return snapshots_from_bytes(self.versions)

    def published(self, target_repo: str) -> Mapping[str, str]:
        """Return the versions that are published in a repository, if it is among the databases."""
        return next((it.versions for it in self.snapshots if it.name == target_repo), {})

    def with_snapshots(self, snapshots: Iterable[DatabaseSnapshot]) -> LibraryMemory:
        """Return it with what is known of the databases now."""
        return replace(self, versions=snapshots_to_bytes(snapshots))
