"""Build logs in Redis: written while the build runs, readable from any offset."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from scheduler.connection import redis_errors
from scheduler.queue import keys
from scheduler.queue.running import run_script

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis import Redis
    from redis.client import Pipeline

# Logs of 100 MB are kept whole.
MAX_LOG_SIZE = 128 * 1024 * 1024
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

    @property
    def offset(self) -> int:
        """Where `data` begins: after what was asked for, if that was dropped."""
        return self.next_offset - len(self.data)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogExtent:
    """Which bytes of a log are in Redis: those from `first` up to `size`.

    What came before was dropped, because it is kept elsewhere.
    """

    first: int
    size: int
    ended: bool

    @property
    def is_known(self) -> bool:
        """Whether Redis knows such a log at all."""
        return self.size > 0 or self.ended


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One log: `started` is Unix time by the clock of the Redis server, `size` in bytes."""

    job_id: int
    attempt: int
    started: float
    size: int
    ended: bool


@dataclass(frozen=True, slots=True)
class LogName:
    """Which attempt at which job a log is of; `started` is when it was begun or gone on with."""

    job_id: int
    attempt: int
    started: float


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

    @property
    def max_total(self) -> int:
        """How many bytes all logs may have together."""
        return self._max_total

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
                step.set(keys.log_identity(job_id, attempt), identity, ex=KEPT_SECONDS)
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
            keys=(keys.log(job_id, attempt), keys.log_dropped(job_id, attempt)),
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
                if size:
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
        """Return what was written from `offset` on, at most `limit` bytes.

        Where that was dropped, return what is there after it.
        """
        return self.part(job_id, attempt, offset, limit=limit)[1]

    def part(
        self, job_id: int, attempt: int, offset: int, *, limit: int = READ_SIZE
    ) -> tuple[LogExtent, LogChunk]:
        """Return what `read` does, and what there was at the same moment."""
        first = 0
        while True:
            # Nearly always nothing was dropped, and one look is enough.
            start = max(0, offset - first)
            with redis_errors(), self._redis.pipeline(transaction=True) as step:
                _ask_for_extent(step, job_id, attempt)
                step.getrange(keys.log(job_id, attempt), start, start + limit - 1)
                *answers, data = step.execute()
            extent = _extent(answers)
            if extent.first == first:
                break
            first = extent.first
        next_offset = first + start + len(data) if data else max(offset, first)
        is_end = extent.ended and next_offset >= extent.size
        return extent, LogChunk(data=data, next_offset=next_offset, ended=is_end)

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
        names = self._names(keys.logs_of(identity))
        return [
            LogEntry(
                job_id=name.job_id,
                attempt=name.attempt,
                started=name.started,
                size=extent.size,
                ended=extent.ended,
            )
            for name, extent in zip(names, self.extents(names), strict=True)
            if extent.is_known
        ]

    def entry(self, job_id: int, attempt: int) -> LogEntry | None:
        """Return what there is of the log of an attempt at a job."""
        with redis_errors():
            started = self._redis.zscore(keys.LOGS, f"{job_id}:{attempt}")
        (extent,) = self.extents([LogName(job_id, attempt, started or 0.0)])
        if not extent.is_known:
            return None
        return LogEntry(
            job_id=job_id,
            attempt=attempt,
            started=started or 0.0,
            size=extent.size,
            ended=extent.ended,
        )

    def latest(self, identity: str) -> tuple[int, int] | None:
        """Return job id and attempt of the newest log of `identity`."""
        with redis_errors():
            text = cast("bytes | None", self._redis.get(keys.latest_log(identity)))
        if text is None:
            return None
        return _name(text)

    def names(self) -> list[LogName]:
        """Return all logs, those that were begun or gone on with first at the beginning."""
        return self._names(keys.LOGS)

    def extents(self, names: Sequence[LogName]) -> list[LogExtent]:
        """Return how much there is of each of these logs, in their order."""
        with redis_errors(), self._redis.pipeline(transaction=False) as step:
            for name in names:
                _ask_for_extent(step, name.job_id, name.attempt)
            answers = step.execute() if names else []
        return [_extent(answers[first : first + 3]) for first in range(0, len(answers), 3)]

    def identity_of(self, job_id: int, attempt: int) -> str:
        """Return whose log it is, empty where that is not known."""
        with redis_errors():
            text = cast("bytes | None", self._redis.get(keys.log_identity(job_id, attempt)))
        return text.decode(errors="replace") if text else ""

    def drop(self, job_id: int, attempt: int, size: int) -> bool:
        """Drop what is in a log that is kept elsewhere up to `size`, and has ended there.

        Returns False for one that goes on, and for one that is not there. What is added to it later
        comes at `size`.
        """
        answer = run_script(
            self._redis,
            "drop_log",
            size,
            KEPT_SECONDS,
            keys=(
                keys.log(job_id, attempt),
                keys.log_dropped(job_id, attempt),
                keys.log_end(job_id, attempt),
            ),
        )
        return bool(answer)

    def _names(self, key: str) -> list[LogName]:
        with redis_errors():
            known = cast("_Scored", self._redis.zrange(key, 0, -1, withscores=True))
        return [LogName(*_name(text), started) for text, started in known]


def _ask_for_extent(step: Pipeline, job_id: int, attempt: int) -> None:
    step.exists(keys.log_end(job_id, attempt))
    step.get(keys.log_dropped(job_id, attempt))
    step.strlen(keys.log(job_id, attempt))


def _extent(answers: Sequence[Any]) -> LogExtent:
    ended, dropped, size = answers
    first = int(dropped or 0)
    return LogExtent(first=first, size=first + size, ended=bool(ended))


def _name(text: bytes) -> tuple[int, int]:
    job_id, attempt = text.split(b":")
    return int(job_id), int(attempt)


def _now(redis: Redis) -> float:
    seconds, microseconds = redis.time()
    return seconds + microseconds / 1e6
