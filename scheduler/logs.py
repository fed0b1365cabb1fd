"""Build logs in Redis: written while the build runs, readable from any offset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from redis import Redis

MAX_LOG_SIZE = 64 * 1024 * 1024
KEPT_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class LogChunk:
    """Part of a log. Read on from `next_offset`; nothing will follow once `ended`."""

    data: bytes
    next_offset: int
    ended: bool


class LogStore:
    """The logs of builds; one log for each attempt at a job."""

    def __init__(self, redis: Redis, *, max_size: int = MAX_LOG_SIZE) -> None:
        self._redis = redis
        self._max_size = max_size

    def start(self, job_id: int, attempt: int, identity: str) -> None:
        """Make this the latest log of `identity`."""
        raise NotImplementedError

    def append(self, job_id: int, attempt: int, data: bytes) -> bool:
        """Add `data`. Returns False once the log is full, which the log says itself."""
        raise NotImplementedError

    def finish(self, job_id: int, attempt: int) -> None:
        """Tell that nothing will follow."""
        raise NotImplementedError

    def read(
        self, job_id: int, attempt: int, offset: int = 0, *, limit: int = 1024 * 1024
    ) -> LogChunk:
        """Return what was written from `offset` on, at most `limit` bytes."""
        raise NotImplementedError

    def read_all(self, job_id: int, attempt: int) -> bytes:
        """Return the whole log so far."""
        raise NotImplementedError

    def latest(self, identity: str) -> tuple[int, int] | None:
        """Return job id and attempt of the newest log of `identity`."""
        raise NotImplementedError
