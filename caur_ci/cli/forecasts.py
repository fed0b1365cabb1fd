"""When running builds will have ended, by how long earlier ones took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.cli.queue_view import duration
from caur_ci.errors import CaurError
from scheduler.job import JobState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from caur_ci.cli.session import Session
    from scheduler.queue import JobView


def forecasts_of(session: Session, jobs: Iterable[JobView]) -> dict[str, float]:
    """Return how many seconds the builds of those that are running take, by identity.

    Empty where the history is not on this machine.
    """
    from caur_ci.cli.history_access import known_history  # noqa: PLC0415

    running = [job.identity for job in jobs if job.state is JobState.BUILDING]
    if not running:
        return {}
    with known_history(session) as history:
        try:
            return history.forecasts(running) if history is not None else {}
        except CaurError as error:
            session.warn(f"the history is left out: {error.message}")
            return {}


def expected_end(job: JobView, forecasts: Mapping[str, float], now: float) -> str:
    """Return when a build will have ended, in a few words; nothing where that is not known."""
    seconds = forecasts.get(job.identity)
    if seconds is None or job.state is not JobState.BUILDING or not job.started:
        return ""
    left = job.started + seconds - now
    return f"in {duration(left)}" if left >= 0 else f"{duration(-left)} ago"
