"""When running builds will have ended, by how long earlier ones took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.cli.queue_view import duration
from caur_ci.errors import CaurError
from scheduler.job import JobState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scheduler.history import History
    from scheduler.queue import JobView


def forecasts_of(history: History | None, jobs: Iterable[JobView]) -> dict[str, float]:
    """Return how many seconds the builds of those that are running take, by identity.

    Empty without a history, or with one that cannot be read.
    """
    running = [job.identity for job in jobs if job.state is JobState.BUILDING]
    try:
        return history.forecasts(running) if history is not None else {}
    except CaurError:
        return {}


def expected_ends(
    jobs: Iterable[JobView], forecasts: Mapping[str, float], now: float
) -> dict[int, str]:
    """Return when builds will have ended, in a few words, by job; only where that is known."""
    return {
        job.job_id: _end(job.started + forecasts[job.identity] - now)
        for job in jobs
        if job.identity in forecasts and job.state is JobState.BUILDING and job.started
    }


def _end(seconds: float) -> str:
    return f"in {duration(seconds)}" if seconds >= 0 else f"{duration(-seconds)} ago"
