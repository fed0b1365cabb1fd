"""What an issue is about."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How the last build of a package ended, at a Unix time.

    `how` are words for people, empty where it was published; `count` is how many failures are in
    this report, because earlier ones had not been told yet.
    """

    source_repo: str
    identity: str
    how: str
    reason: str
    commit: str
    job_id: int
    attempt: int
    time: float
    count: int = 1

    @property
    def pkgbase(self) -> str:
        """The package."""
        return self.identity.rpartition("/")[2]

    @property
    def has_failed(self) -> bool:
        """Whether it was not published."""
        return bool(self.how)

    def to_json(self) -> str:
        """Return what waits in the outbox."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def all_of(cls, entries: Mapping[str, str]) -> dict[str, Self]:
        """Return what the entries of the outbox say, in the order in which it happened.

        Those of a later version, which cannot be read, are left out.
        """
        found: dict[str, Self] = {}
        for key, text in entries.items():
            with suppress(ValueError, TypeError):
                found[key] = cls(**json.loads(text))
        return dict(sorted(found.items(), key=lambda each: (each[1].time, each[0])))


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The newest issue about a package: its number, and how often it failed since a Unix time.

    `closed` is when we closed it, 0 while it is open.
    """

    number: int
    failures: int
    since: float
    closed: float = 0.0

    def to_json(self) -> str:
        """Return what is remembered."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | None) -> Self | None:
        """Read what `to_json` has made; None for nothing, and for what cannot be read."""
        with suppress(ValueError, TypeError):
            return cls(**json.loads(text)) if text else None
        return None
