"""Moves logs that have ended from Redis to disk."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from scheduler.history.archive import LogArchive
from scheduler.history.logfile import BLOCK_SIZE, LogFileError, LogHeading
from scheduler.job import JobState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scheduler.history.history import History
    from scheduler.history.logtable import KeptLog
    from scheduler.logs import LogExtent, LogName, LogStore
    from scheduler.queue import Event, QueueReader

_log = logging.getLogger(__name__)

_LOOKED_EVERY = 10.0
# The end of a log comes a moment after that of its job.
_LOOKED_SOON = 1.0
_DROPPED_EVERY = 60.0
_PRUNED_EVERY = 3600.0
DEFAULT_LOG_DAYS = 90
DEFAULT_LOG_SIZE = 20 * 1024**3
# For how long a log stays in Redis beside the disk, for readers that do not reach that.
_GRACE = 24 * 3600.0
# Of what logs may have in Redis: beyond it, those that are on disk go at once.
_COMFORTABLE = 0.5
# A log that nobody goes on with and that has not grown for as long as this has ended.
_ABANDONED_AFTER = 600.0
# How many bytes of a log tell it from another one.
_COMPARED = 4096


class LogArchiver:
    """Keeps every log that has ended on disk, and lets Redis drop it later.

    It looks at all logs that Redis has, so nothing depends on where it was interrupted. It consumes
    events only to know when to look.
    """

    name = "log archive"

    def __init__(
        self,
        queue: QueueReader,
        store: LogStore,
        history: History,
        *,
        days: int = DEFAULT_LOG_DAYS,
        largest: int = DEFAULT_LOG_SIZE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep logs for `days`, and at most `largest` bytes of them, the newest."""
        self._queue = queue
        self._store = store
        self._archive = LogArchive(history)
        self._clock = clock
        self._position = ""
        self._next_look = 0.0
        self._next_drop = 0.0
        self._days = days
        self._largest = largest
        self._next_pruning = 0.0
        # Logs that were dealt with, by when they were begun or gone on with.
        self._done: dict[tuple[int, int], float] = {}
        # How large unfinished logs were, and since when.
        self._growing: dict[tuple[int, int], tuple[int, float]] = {}

    def position(self) -> str:
        """Return the id of the last event; the first time, of the newest one there is."""
        self._position = self._position or self._queue.last_event_id()
        return self._position

    def consume(self, events: Sequence[Event]) -> None:
        """Look whether logs have ended, if it is time to. Raises TemporaryError."""
        now = self._clock()
        if any(event.kind == "done" for event in events):
            self._next_look = min(self._next_look, now + _LOOKED_SOON)
        if now >= self._next_look:
            self._next_look = now + _LOOKED_EVERY
            self.look()
        if now >= self._next_drop:
            self._next_drop = now + _DROPPED_EVERY
            self.drop()
        if now >= self._next_pruning:
            self._next_pruning = now + _PRUNED_EVERY
            self._archive.prune(days=self._days, largest=self._largest, now=time.time())
        if events:
            self._position = events[-1].id

    def look(self) -> None:
        """Keep what has ended and is not kept yet. Raises TemporaryError."""
        self._archive.recover()
        names = self._store.names()
        known = {(name.job_id, name.attempt) for name in names}
        self._done = {key: value for key, value in self._done.items() if key in known}
        self._growing = {key: value for key, value in self._growing.items() if key in known}
        open_ = [name for name in names if self._done.get(_key(name)) != name.started]
        for name, extent in zip(open_, self._store.extents(open_), strict=True):
            if extent.ended:
                self._growing.pop(_key(name), None)
                try:
                    self._keep(name, extent)
                except LogFileError as error:
                    _log.warning("%s; what follows cannot be added to it", error.message)
                self._done[_key(name)] = name.started
            elif self._is_abandoned(name, extent):
                _log.info("the log of job %d, attempt %d, has no end", name.job_id, name.attempt)
                self._store.finish(name.job_id, name.attempt)

    def drop(self) -> None:
        """Let Redis drop what is kept: what is old, and more where logs take much room."""
        names = self._store.names()
        extents = self._store.extents(names)
        total = sum(extent.size - extent.first for extent in extents)
        comfortable = self._store.max_total * _COMFORTABLE
        old = time.time() - _GRACE
        for name, extent in zip(names, extents, strict=True):
            size = extent.size - extent.first
            if not extent.ended or not size or (name.started > old and total <= comfortable):
                continue
            kept = self._archive.get(name.job_id, name.attempt)
            if kept and kept.size == extent.size and self._is_same(kept, name, extent):
                self._store.drop(name.job_id, name.attempt, kept.size)
                total -= size

    def _keep(self, name: LogName, extent: LogExtent) -> None:
        identity = self._identity_of(name)
        kept = self._archive.get(name.job_id, name.attempt)
        if kept is not None and not self._is_same(kept, name, extent):
            kept = None
        if not identity or extent.first > (kept.size if kept else 0):
            _log.warning(
                "the log of job %d, attempt %d, cannot be kept: %s",
                name.job_id,
                name.attempt,
                "its beginning is not in this history" if identity else "nobody knows whose it is",
            )
            return
        if kept is None or kept.size != extent.size:
            heading = LogHeading(
                job_id=name.job_id,
                attempt=name.attempt,
                identity=identity,
                started=kept.started if kept else name.started,
            )
            self._archive.keep(heading, self._reader(name, extent, kept), least=extent.size)

    def _reader(
        self, name: LogName, extent: LogExtent, kept: KeptLog | None
    ) -> Callable[[int], bytes]:
        def read(offset: int) -> bytes:
            if kept is not None and offset < extent.first:
                limit = min(BLOCK_SIZE, extent.first - offset)
                return self._archive.read(kept, offset, limit)
            return self._store.read(name.job_id, name.attempt, offset, limit=BLOCK_SIZE).data

        return read

    def _is_same(self, kept: KeptLog, name: LogName, extent: LogExtent) -> bool:
        """Tell whether what is kept is of this log, not of one of the same number before a loss."""
        if kept.identity != self._identity_of(name):
            return False
        if extent.first or not kept.size:
            return True
        limit = min(_COMPARED, kept.size)
        begun = self._store.read(name.job_id, name.attempt, 0, limit=limit).data
        try:
            return begun == self._archive.read(kept, 0, limit)
        except (LogFileError, OSError):  # it is to be written again
            return False

    def _identity_of(self, name: LogName) -> str:
        identity = self._store.identity_of(name.job_id, name.attempt)
        if identity:
            return identity
        job = self._queue.job(name.job_id)
        return job.identity if job else ""

    def _is_abandoned(self, name: LogName, extent: LogExtent) -> bool:
        """Tell whether whoever wrote the log has gone without telling its end."""
        now = self._clock()
        size, since = self._growing.get(_key(name), (-1, now))
        if size != extent.size:
            self._growing[_key(name)] = (extent.size, now)
            return False
        if now - since < _ABANDONED_AFTER:
            return False
        job = self._queue.job(name.job_id)
        return not (job and job.state is JobState.BUILDING and job.attempt == name.attempt)


def _key(name: LogName) -> tuple[int, int]:
    return name.job_id, name.attempt
