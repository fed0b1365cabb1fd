"""What people are told: one note for each thing that happened."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self

from scheduler.settings.telling import Told

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that happened, at a Unix time, in a target repository.

    It is about the build of a package, or about a removal, where `pkgbase` is empty. `node` is the
    name of the worker. `log_started` is when the log of the build began, as Unix time, 0 where that
    is not known.
    """

    told: Told
    repository: str
    time: float
    arch: str = ""
    pkgbase: str = ""
    node: str = ""
    log_started: float = 0.0
    commit_url: str = ""
    reason: str = ""

    @property
    def identity(self) -> str:
        """`target_repo/arch/pkgbase`."""
        return f"{self.repository}/{self.arch}/{self.pkgbase}"

    def to_json(self) -> str:
        """Return what is stored."""
        return json.dumps({**asdict(self), "told": str(self.told)}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` has made. Raises ValueError, TypeError or KeyError for all else."""
        data = json.loads(text)
        return cls(**{**data, "told": Told(data["told"])})


@dataclass(frozen=True, slots=True)
class Waiting:
    """A note for one target; `key` is its place in the outbox."""

    key: str
    target: str
    note: Note

    @classmethod
    def all_of(cls, entries: Mapping[str, str]) -> list[Self]:
        """Return what the entries of the outbox say, in the order in which it happened.

        Those of a later version, which cannot be read, are left out.
        """
        found: list[Self] = []
        for key, text in entries.items():
            with suppress(ValueError, TypeError, KeyError):
                found.append(cls(key, key.partition(" ")[0], Note.from_json(text)))
        return sorted(found, key=lambda each: (each.note.time, each.key))


def entry_key(target: str, event_id: str) -> str:
    """Return the key of a note for a target about an event."""
    return f"{target} {event_id}"
