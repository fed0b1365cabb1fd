"""What the answers of the API hold, beside what queue and history say themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scheduler.history import PastJob, PastLog
    from scheduler.queue import (
        Explanation,
        GroupView,
        JobChange,
        JobView,
        QueueSnapshot,
        RemovalView,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What went wrong, and what to do about it."""

    error: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether what is needed can be reached, by name: `ok`, or what is wrong."""

    status: str
    parts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueAnswer:
    """The queue, and how many seconds builds of packages usually take."""

    queue: QueueSnapshot
    forecasts: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """Jobs that have ended, the newest first. `next_cursor` is null at the end."""

    items: tuple[PastJob, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """The logs of a package, the newest first."""

    items: tuple[PastLog, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalPage:
    """The removals that are not finished, those that are held back first."""

    items: tuple[RemovalView, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPage:
    """The rebuild groups that are open."""

    items: tuple[GroupView, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobAnswer:
    """A job as the queue knows it, as the history knows it, and its logs."""

    job_id: int
    identity: str
    queue: JobView | None
    history: PastJob | None
    logs: tuple[PastLog, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageAnswer:
    """Why a package is or is not being built, its last jobs, and how long builds take."""

    identity: str
    explanation: Explanation | None
    latest: tuple[PastJob, ...]
    forecast: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureCount:
    """How many builds failed on a day (UTC) for a kind of reason."""

    day: str
    failure: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureCounts:
    """Failures by day and kind, the oldest day first."""

    items: tuple[FailureCount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What became of a wish about packages."""

    changes: tuple[JobChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldAnswer:
    """What is said of each package that was put on hold, or let go."""

    packages: Mapping[str, str]


def page_of(jobs: list[PastJob], limit: int) -> JobPage:
    """Return a page of at most `limit` jobs; one more says that there is a next page."""
    more = len(jobs) > limit
    items = tuple(jobs[:limit])
    return JobPage(items=items, next_cursor=str(items[-1].job_id) if more else None)
