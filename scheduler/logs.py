"""Build logs in Redis: written while the build runs, readable from any offset."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from scheduler.connection import redis_errors
from scheduler.queue import keys
from scheduler.queue.running import run_script

if TYPE_CHECKING:
    from redis import Redis

MAX_LOG_SIZE = 64 * 1024 * 1024
MAX_TOTAL_SIZE = 2 * 1024**3
KEPT_SECONDS = 7 * 24 * 3600
_TRIMMED_EVERY = 60.0
READ_SIZE = 1024 * 1024

_Scored = list[tuple[bytes, float]]

FULL_NOTE = b"\r\n[caur-ci: the log is full, what follows is not kept]\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogChunk:
    """Part of a log. Read on from `next_offset`; nothing will follow once `ended`."""

    data: bytes
    next_offset: int
    ended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One log: `started` is Unix time by the clock of the Redis server, `size` in bytes."""

    job_id: int
    attempt: int
    started: float
    size: int
    ended: bool


class LogStore:
    """The logs of builds; one log for each attempt at a job, kept for seven days.

    All together they have no more than `max_total` bytes: the oldest make room for new ones.

    Every method raises TemporaryError when Redis is out of reach.
    """

    def __init__(
        self, redis: Redis, *, max_size: int = MAX_LOG_SIZE, max_total: int = MAX_TOTAL_SIZE
    ) -> None:
        self._redis = redis
        self._max_size = max_size
        self._max_total = max_total
        self._next_trimming = 0.0

    def start(self, job_id: int, attempt: int, identity: str) -> None:
        """Make this the latest log of `identity`.

        An attempt that was handed back without a mark against it, and comes again under the same
        number, goes on in the same log.
        """
        name, known = f"{job_id}:{attempt}", keys.logs_of(identity)
        with redis_errors():
            now = _now(self._redis)
            with self._redis.pipeline(transaction=True) as step:
                step.set(keys.latest_log(identity), name, ex=KEPT_SECONDS)
                step.delete(keys.log_end(job_id, attempt))
                step.zadd(known, {name: now})
                step.zremrangebyscore(known, "-inf", now - KEPT_SECONDS)
                step.expire(known, KEPT_SECONDS)
                step.zadd(keys.LOGS, {name: now})
                step.zremrangebyscore(keys.LOGS, "-inf", now - KEPT_SECONDS)
                step.expire(keys.LOGS, KEPT_SECONDS)
                step.execute()
        if time.monotonic() >= self._next_trimming:
            self._next_trimming = time.monotonic() + _TRIMMED_EVERY
            self._trim(name)

    def append(self, job_id: int, attempt: int, data: bytes) -> bool:
        """Add `data`. Returns False once the log is full, which the log says itself."""
        answer = run_script(
            self._redis,
            "append_log",
            data,
            self._max_size,
            KEPT_SECONDS,
            FULL_NOTE,
            keys=(keys.log(job_id, attempt),),
        )
        return bool(answer)

    def _trim(self, newest: str) -> None:
        """Remove the oldest logs for as long as all together are too large."""
        with redis_errors():
            names = cast("list[bytes]", self._redis.zrange(keys.LOGS, 0, -1))
            logs = [_name(name) for name in names if name.decode() != newest]
            with self._redis.pipeline(transaction=False) as step:
                for job_id, attempt in logs:
                    step.strlen(keys.log(job_id, attempt))
                sizes = step.execute() if logs else []
            total = sum(sizes)
            for (job_id, attempt), size in zip(logs, sizes, strict=True):
                if total <= self._max_total:
                    return
                total -= size
                self._redis.unlink(keys.log(job_id, attempt), keys.log_end(job_id, attempt))
                self._redis.zrem(keys.LOGS, f"{job_id}:{attempt}")

    def finish(self, job_id: int, attempt: int) -> None:
        """Tell that nothing will follow."""
        with redis_errors():
            self._redis.set(keys.log_end(job_id, attempt), 1, ex=KEPT_SECONDS)

    def read(
        self, job_id: int, attempt: int, offset: int = 0, *, limit: int = READ_SIZE
    ) -> LogChunk:
        """Return what was written from `offset` on, at most `limit` bytes."""
        log = keys.log(job_id, attempt)
        with redis_errors(), self._redis.pipeline(transaction=True) as step:
            step.exists(keys.log_end(job_id, attempt))
            step.strlen(log)
            step.getrange(log, offset, offset + limit - 1)
            complete, size, data = step.execute()
        next_offset = offset + len(data)
        return LogChunk(
            data=data, next_offset=next_offset, ended=bool(complete) and next_offset >= size
        )

    def read_all(self, job_id: int, attempt: int) -> bytes:
        """Return the whole log so far."""
        chunks: list[bytes] = []
        offset = 0
        while True:
            chunk = self.read(job_id, attempt, offset)
            if not chunk.data:
                return b"".join(chunks)
            chunks.append(chunk.data)
            offset = chunk.next_offset

    def of_package(self, identity: str) -> list[LogEntry]:
        """Return what logs of an identity there are, the oldest first."""
        with redis_errors():
            names = self._redis.zrange(keys.logs_of(identity), 0, -1, withscores=True)
            known = [(*_name(text), started) for text, started in cast("_Scored", names)]
            with self._redis.pipeline(transaction=False) as step:
                for job_id, attempt, _ in known:
                    step.strlen(keys.log(job_id, attempt))
                    step.exists(keys.log_end(job_id, attempt))
                answers = step.execute() if known else []
        sizes, ends = answers[::2], answers[1::2]
        return [
            LogEntry(job_id=job_id, attempt=attempt, started=started, size=size, ended=bool(end))
            for (job_id, attempt, started), size, end in zip(known, sizes, ends, strict=True)
            if size or end
        ]

    def latest(self, identity: str) -> tuple[int, int] | None:
        """Return job id and attempt of the newest log of `identity`."""
        with redis_errors():
            text = cast("bytes | None", self._redis.get(keys.latest_log(identity)))
        if text is None:
            return None
        return _name(text)


def _name(text: bytes) -> tuple[int, int]:
    job_id, attempt = text.split(b":")
    return int(job_id), int(attempt)


def _now(redis: Redis) -> float:
    seconds, microseconds = redis.time()
    return seconds + microseconds / 1e6
