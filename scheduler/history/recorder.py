"""Writes what the queue tells into the history."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, TemporaryError
from scheduler.history.model import PastJob
from scheduler.history.rebuilding import is_rebuilt, rebuild
from scheduler.job import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from scheduler.history.history import History
    from scheduler.history.rebuilding import FormerPublication
    from scheduler.queue import Event, JobRecord, QueueControl

_log = logging.getLogger(__name__)

_READ_AT_ONCE = 100
_LOOKED_AFTER_EVERY = 60.0
_PRUNED_EVERY = 3600.0
DEFAULT_DAYS = 400


class HistoryRecorder:
    """Writes down every job that has ended, once.

    What the queue's events do not tell any more, the queue's list of recent jobs does. What is
    missing in a new history, `published` does: what the repositories have.
    """

    name = "history"

    def __init__(
        self,
        queue: QueueControl,
        history: History,
        *,
        published: Callable[[], Iterable[FormerPublication]] = tuple,
        days: int = DEFAULT_DAYS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = queue
        self._history = history
        self._published = published
        self._days = days
        self._clock = clock
        self._is_filled = False
        self._next_care = 0.0
        self._next_pruning = 0.0
        self._next_rebuilding = 0.0

    def position(self) -> str:
        """Return the id of the last event that is in the history."""
        return self._history.position()

    def consume(self, events: Sequence[Event]) -> None:
        """Write down the jobs that ended, and see to the history. Raises TemporaryError."""
        try:
            self._fill()
            self._record(events)
            self._look_after(is_idle=not events)
        except BaseException:
            # More may have happened than the events will tell.
            self._is_filled = False
            raise

    def _record(self, events: Sequence[Event]) -> None:
        ended = [event for event in events if event.kind == "done" and event.outcome is not None]
        jobs: list[PastJob] = []
        for first in range(0, len(ended), _READ_AT_ONCE):
            some = ended[first : first + _READ_AT_ONCE]
            records = self._queue.records([event.job_id for event in some])
            jobs += [_past_job(event, records.get(event.job_id)) for event in some]
        if events:
            self._history.record(jobs, position=events[-1].id)

    def _fill(self) -> None:
        """Write down those of the recent jobs that are missing."""
        if self._is_filled:
            return
        missing = self._history.unknown(self._queue.ended())
        for first in range(0, len(missing), _READ_AT_ONCE):
            records = self._queue.records(missing[first : first + _READ_AT_ONCE])
            jobs = (job_of_record(record) for record in records.values())
            self._history.record(job for job in jobs if job is not None)
        self._is_filled = True

    def _look_after(self, *, is_idle: bool) -> None:
        now = self._clock()
        if now >= self._next_care:
            self._next_care = now + _LOOKED_AFTER_EVERY
            # A queue that was lost would begin with the first number again.
            if highest := self._history.highest_job():
                self._queue.skip_ids(highest)
        if now >= self._next_pruning:
            self._next_pruning = now + _PRUNED_EVERY
            self._history.prune(days=self._days, now=time.time())
        if is_idle and now >= self._next_rebuilding:
            self._next_rebuilding = now + _LOOKED_AFTER_EVERY
            self._rebuild()

    def _rebuild(self) -> None:
        """Fill a new history with what is published, after what the queue knows better."""
        if is_rebuilt(self._history):
            return
        try:
            number = rebuild(self._history, self._published())
        except TemporaryError:
            raise
        except (CaurError, OSError) as error:
            _log.warning("what is published cannot be read for the history: %s", error)
        else:
            _log.info("%d publications of earlier times are in the history now", number)


def _past_job(event: Event, record: JobRecord | None) -> PastJob:
    job = job_of_record(record) if record is not None else None
    return job if job is not None and job.identity == event.identity else _job_of_event(event)


def job_of_record(record: JobRecord) -> PastJob | None:
    """Return a job that has ended; None for one that has not, or that cannot be read."""
    view, spec, notes = record.view, record.spec, record.notes
    if view.outcome is None or spec is None:
        return None
    publication = notes.publication
    return PastJob(
        job_id=view.job_id,
        target_repo=spec.target_repo,
        arch=spec.arch,
        pkgbase=spec.pkgbase,
        source_repo=spec.source_repo,
        commit=spec.commit,
        commit_reference=spec.commit_reference,
        build_class=view.build_class,
        outcome=view.outcome,
        failure=view.failure,
        reason=view.reason,
        request_id=record.request_id,
        tree=notes.tree,
        worker=view.worker,
        attempt=view.attempt,
        submitted=view.submitted,
        started=view.started,
        landed=view.landed,
        finished=view.finished,
        usage=notes.usage or Usage(),
        generation=str(publication.generation) if publication else "",
        files=publication.files if publication else (),
    )


def _job_of_event(event: Event) -> PastJob:
    """Return what an event tells of a job that the queue has forgotten."""
    target_repo, arch, pkgbase = event.identity.split("/", 2)
    if event.outcome is None:
        raise ValueError(f"job {event.job_id} has not ended")
    return PastJob(
        job_id=event.job_id,
        target_repo=target_repo,
        arch=arch,
        pkgbase=pkgbase,
        source_repo="",
        commit="",
        build_class=event.build_class,
        outcome=event.outcome,
        failure=event.failure,
        reason=event.reason,
        request_id=event.request_id,
        worker=event.worker,
        attempt=event.attempt,
        submitted=event.submitted,
        started=event.started,
        finished=event.time,
    )
