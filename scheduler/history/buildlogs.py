"""The logs of builds, wherever they are: in Redis while they are there, on disk afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.errors import TemporaryError
from scheduler.history.archive import LogArchive
from scheduler.history.model import PastLog
from scheduler.logs import READ_SIZE, LogChunk

if TYPE_CHECKING:
    from scheduler.history.history import History
    from scheduler.history.logtable import KeptLog
    from scheduler.logs import LogEntry, LogExtent, LogStore


class BuildLogs:
    """All logs. The offset of a byte is the same wherever it is read.

    Either place may be missing. Every method raises TemporaryError where the one that is needed is
    out of reach. Safe to use from several threads.
    """

    def __init__(self, store: LogStore | None, history: History | None) -> None:
        self._store = store
        self._history = history
        self._archive = LogArchive(history) if history is not None else None

    def of_package(self, identity: str) -> list[PastLog]:
        """Return the logs of an identity, the oldest first."""
        kept = self._history.logs.of_package(identity) if self._history is not None else []
        return _merged(kept, self._store.of_package(identity) if self._store else [])

    def entry(self, job_id: int, attempt: int) -> PastLog | None:
        """Return the log of an attempt at a job."""
        kept = self._kept(job_id, attempt)
        live = self._store.entry(job_id, attempt) if self._store else None
        found = _merged([kept] if kept else [], [live] if live else [])
        return found[0] if found else None

    def size(self, job_id: int, attempt: int) -> int:
        """Return how many bytes a log has by now, 0 where there is none."""
        entry = self.entry(job_id, attempt)
        return entry.size if entry else 0

    def read(
        self, job_id: int, attempt: int, offset: int = 0, *, limit: int = READ_SIZE
    ) -> LogChunk:
        """Return what was written from `offset` on, at most `limit` bytes.

        Where that is nowhere to be had, return what is there after it; see LogChunk.offset.
        """
        # In this order: what is dropped from Redis meanwhile is on disk before.
        try:
            extent, chunk = self._live(job_id, attempt, offset, limit)
        except TemporaryError:
            kept = self._kept(job_id, attempt)
            if kept is None:
                raise
            return self._from_disk(kept, offset, limit, goes_on=False)
        if chunk is not None and chunk.offset <= offset:
            return chunk
        kept = self._kept(job_id, attempt)
        if kept is None or offset >= kept.size:
            nothing = LogChunk(data=b"", next_offset=offset, ended=kept is not None)
            return chunk or nothing
        goes_on = extent is not None and not (extent.ended and extent.size <= kept.size)
        return self._from_disk(kept, offset, limit, goes_on=goes_on)

    def _live(
        self, job_id: int, attempt: int, offset: int, limit: int
    ) -> tuple[LogExtent | None, LogChunk | None]:
        if self._store is None:
            return None, None
        extent, chunk = self._store.part(job_id, attempt, offset, limit=limit)
        return (extent, chunk) if extent.is_known else (None, None)

    def _kept(self, job_id: int, attempt: int) -> KeptLog | None:
        return self._archive.get(job_id, attempt) if self._archive is not None else None

    def _from_disk(self, log: KeptLog, offset: int, limit: int, *, goes_on: bool) -> LogChunk:
        data = b""
        if self._archive is not None and offset < log.size:
            try:
                data = self._archive.read(log, offset, min(limit, log.size - offset))
            except FileNotFoundError:  # its time was over just now
                return LogChunk(data=b"", next_offset=log.size, ended=True)
            except OSError as error:
                raise TemporaryError(f"the log {log.path} cannot be read: {error}") from error
        next_offset = offset + len(data)
        is_end = next_offset >= log.size and not goes_on
        return LogChunk(data=data, next_offset=next_offset, ended=is_end)


def _merged(kept: list[KeptLog], live: list[LogEntry]) -> list[PastLog]:
    """Return all logs; of one that is in both places, what goes on in Redis."""
    logs = {(log.job_id, log.attempt): log.past for log in kept}
    for entry in live:
        name = (entry.job_id, entry.attempt)
        known = logs.get(name)
        if known is None or entry.size > known.size or not entry.ended:
            logs[name] = PastLog(
                job_id=entry.job_id,
                attempt=entry.attempt,
                started=known.started if known else entry.started,
                size=entry.size,
                ended=entry.ended,
                kept=False,
            )
    return sorted(logs.values(), key=lambda log: (log.started, log.job_id, log.attempt))
