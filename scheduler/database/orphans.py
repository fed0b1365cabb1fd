"""Deliveries that nobody will pick up any more: their job is over, or they never got complete."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from scheduler.job import JobState

if TYPE_CHECKING:
    from scheduler.landing import LandingZone
    from scheduler.queue import Queue

_log = logging.getLogger(__name__)

_EVERY = 3600.0
# An uploaded delivery waits for a moment only; this is for people who look after a failure.
_AFTER = 24 * 3600.0


class OrphanSweeper:
    """Removes such deliveries from the landing zone."""

    def __init__(self, queue: Queue, landing: LandingZone, *, after: float = _AFTER) -> None:
        self._queue = queue
        self._landing = landing
        self._after = after
        self._next = time.monotonic()

    def do(self) -> None:
        """Do it if the time for it has come. Raises TemporaryError."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _EVERY
        try:
            gone = self._landing.sweep(self._is_wanted, after=self._after)
        except OSError as error:
            _log.warning("the landing zone could not be looked through: %s", error)
            return
        if gone:
            _log.info("removed from the landing zone: %s", ", ".join(gone))

    def _is_wanted(self, delivery: str) -> bool:
        job = self._queue.job(int(delivery.partition("-")[0]))
        if job is None:
            return False
        if job.state in {JobState.LANDED, JobState.PUBLISHING, JobState.STAGED}:
            return job.delivery == delivery
        # Its worker may be uploading. In any other state whoever has uploaded it has lost the job.
        return job.state is JobState.BUILDING
