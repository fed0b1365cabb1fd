"""The published states of a repository, each under a number of its own.

A generation is a folder with the databases of that state, as links to the published files, and a
record of what was in them. The package files are where they are: in place, or in the archive.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

from caur_ci.errors import CaurError
from scheduler.database.entries import Entry
from scheduler.files import link_or_copy, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

RECORD = "generation.json"


class GenerationError(CaurError):
    """A generation does not exist or cannot be brought back."""


class PublicationKind(StrEnum):
    """What made a generation."""

    FOUND = "found"  # somebody else changed the repository before us
    PUBLISHED = "published"
    REMOVED = "removed"
    ROLLED_BACK = "rolled back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One published state. `time` is a Unix time.

    `packages` is by name. `folders` tells for packages, by name, the folder in the source
    repository that they come from, where that is known: it is not always named like the pkgbase.
    `sources` tells likewise which source repository that is.
    `origin` is the generation that a rollback brought back. The last three are the difference to
    the state before.
    """

    number: int
    time: float
    kind: PublicationKind
    packages: Mapping[str, Entry]
    folders: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    origin: int = 0
    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def followed_by(
        self,
        packages: Mapping[str, Entry],
        *,
        kind: PublicationKind,
        time: float,
        folders: Mapping[str, str],
        sources: Mapping[str, str],
        origin: int = 0,
    ) -> Generation:
        """Return the next generation, with `packages` in it.

        `folders` and `sources` may know more than these.
        """
        old = self.packages
        return Generation(
            number=self.number + 1,
            time=time,
            kind=kind,
            packages=packages,
            folders={name: folders[name] for name in sorted(packages.keys() & folders.keys())},
            sources={name: sources[name] for name in sorted(packages.keys() & sources.keys())},
            origin=origin,
            added=tuple(sorted(packages.keys() - old.keys())),
            updated=tuple(
                name for name in sorted(packages.keys() & old.keys()) if packages[name] != old[name]
            ),
            removed=tuple(sorted(old.keys() - packages.keys())),
        )

    def folder_of(self, entry: Entry) -> str:
        """Return the folder that a package comes from, as far as that can be told."""
        return self.folders.get(entry.name, entry.base)

    def write(self, path: Path) -> None:
        """Write the record into the new file `path`.

        One JSON object with the fields of this class, `packages` as a list of those of Entry.
        Raises FileExistsError and OSError.
        """
        data = asdict(self)
        data["packages"] = [asdict(entry) for entry in self.packages.values()]
        with path.open("x", encoding="utf-8") as stream:
            json.dump(data, stream)
            stream.flush()
            os.fsync(stream.fileno())

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a record. Raises GenerationError."""
        try:
            data: dict[str, Any] = json.loads(path.read_bytes())
            entries = [Entry(**entry) for entry in data.pop("packages")]
            for name in ("added", "updated", "removed"):
                data[name] = tuple(data[name])
            packages = {entry.name: entry for entry in entries}
            return cls(kind=PublicationKind(data.pop("kind")), packages=packages, **data)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise GenerationError(f"{path} cannot be read: {error}") from error


NOTHING = Generation(number=0, time=0.0, kind=PublicationKind.FOUND, packages={})


class Generations:
    """The generations of one repository, in the folder `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def numbers(self) -> list[int]:
        """Return those that are kept, the oldest first."""
        if not self._folder.is_dir():
            return []
        return sorted(int(path.name) for path in self._folder.iterdir() if path.name.isdecimal())

    def latest(self, *, before: int | None = None) -> Generation:
        """Return the newest generation (older than `before`), NOTHING where there is none."""
        numbers = [number for number in self.numbers() if before is None or number < before]
        return self.get(numbers[-1]) if numbers else NOTHING

    def get(self, number: int) -> Generation:
        """Return a generation. Raises GenerationError."""
        if number not in self.numbers():
            kept = ", ".join(map(str, self.numbers())) or "none"
            raise GenerationError(f"there is no generation {number}; kept are {kept}")
        return Generation.read(self.path(number) / RECORD)

    def path(self, number: int) -> Path:
        """Return the folder of a generation."""
        return self._folder / str(number)

    def add(self, generation: Generation, databases: Iterable[Path]) -> None:
        """Keep a generation, unless that was done already."""
        target = self.path(generation.number)
        if target.exists():
            return
        fresh = self._folder / ".new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        generation.write(fresh / RECORD)
        for path in databases:
            link_or_copy(path, fresh / path.name)
        sync_folder(fresh)
        fresh.rename(target)
        sync_folder(self._folder)

    def prune(self, keep: int) -> None:
        """Forget all but the newest `keep`, at least one."""
        for number in self.numbers()[: -max(1, keep)]:
            self.forget(number)

    def forget(self, number: int) -> None:
        """Forget a generation."""
        # What is half removed must not look like a generation.
        old = self._folder / ".old"
        shutil.rmtree(old, ignore_errors=True)
        self.path(number).rename(old)
        shutil.rmtree(old, ignore_errors=True)

    def needed(self) -> set[str]:
        """Return the checksums of the files that are needed to bring back what is kept."""
        return {
            entry.sha256
            for number in self.numbers()
            for entry in self.get(number).packages.values()
        }
