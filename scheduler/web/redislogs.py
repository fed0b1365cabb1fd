"""The logs that Redis has, for a server without a history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.history import PastLog
from scheduler.logs import READ_SIZE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler.logs import LogChunk, LogStore


class RedisLogs:
    """What `Logs` asks for, from Redis alone."""

    def __init__(self, store: LogStore) -> None:
        self._store = store

    def of_package(self, identity: str) -> Sequence[PastLog]:
        return [
            PastLog(
                job_id=entry.job_id,
                attempt=entry.attempt,
                started=entry.started,
                size=entry.size,
                ended=entry.ended,
            )
            for entry in self._store.of_package(identity)
        ]

    def entry(self, job_id: int, attempt: int) -> PastLog | None:
        chunk = self._store.read(job_id, attempt, limit=1)
        if not (chunk.data or chunk.ended):
            return None
        whole = self._store.read_all(job_id, attempt)
        return PastLog(
            job_id=job_id, attempt=attempt, started=0.0, size=len(whole), ended=chunk.ended
        )

    def read(
        self, job_id: int, attempt: int, offset: int = 0, *, limit: int = READ_SIZE
    ) -> LogChunk:
        return self._store.read(job_id, attempt, offset, limit=limit)
