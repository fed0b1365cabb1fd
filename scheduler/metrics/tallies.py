"""Counters that outlive the processes which count: they are in Redis, beside the queue."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from redis.exceptions import WatchError

from scheduler.connection import redis_errors
from scheduler.queue import keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from redis import Redis

    from scheduler.metrics.definitions import Metric

_COUNTS = f"{keys.PREFIX}metrics"
_MARKS = f"{keys.PREFIX}metrics-marks"
_POSITION = f"{keys.PREFIX}metrics-position"

_SEPARATOR = "|"
# In place of a bucket, in the names of what a histogram is made of.
SUM, INFINITE = "sum", "inf"

_Hash = dict[bytes, bytes]


@dataclass(slots=True)
class Additions:
    """What some events add: counts, what replaces what was there, and marks of jobs (None: gone).

    Whole numbers all of them; of seconds they are milliseconds.
    """

    counts: Counter[str] = field(default_factory=Counter)
    values: dict[Any, Any] = field(default_factory=dict)
    marks: dict[str, int | None] = field(default_factory=dict)

    def count(self, metric: Metric, *labels: str, number: int = 1) -> None:
        """Add to a counter."""
        self.counts[field_of(metric, *labels)] += number

    def observe(self, metric: Metric, seconds: float, *labels: str) -> None:
        """Add a duration to a histogram."""
        seconds = max(0.0, seconds)
        bucket = next((str(edge) for edge in metric.buckets if seconds <= edge), INFINITE)
        self.counts[field_of(metric, *labels, bucket)] += 1
        self.counts[field_of(metric, *labels, SUM)] += round(seconds * 1000)

    def set_time(self, metric: Metric, time: float, *labels: str) -> None:
        """Replace a time."""
        self.values[field_of(metric, *labels)] = round(time * 1000)

    def set_number(self, metric: Metric, number: int, *labels: str) -> None:
        """Replace a number."""
        self.values[field_of(metric, *labels)] = number


class Tallies:
    """What has been counted. Every method raises TemporaryError when Redis is out of reach."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def position(self) -> str:
        """Return the id of the last event that was counted, "0" before the first."""
        with redis_errors():
            found = cast("bytes | None", self._redis.get(_POSITION))
        return (found or b"0").decode()

    def add(self, additions: Additions, *, after: str, position: str) -> bool:
        """Count, and move the position: both or neither.

        Nothing is done where the position is not `after` any more, because another process was
        faster; returns whether it was.
        """
        put: dict[Any, Any] = {
            key: mark for key, mark in additions.marks.items() if mark is not None
        }
        gone = [key for key, mark in additions.marks.items() if mark is None]
        with redis_errors(), self._redis.pipeline(transaction=True) as step:
            try:
                step.watch(_POSITION)  # type: ignore[no-untyped-call]
                if (cast("bytes | None", step.get(_POSITION)) or b"0") != after.encode():
                    return False
                step.multi()
                for name, number in additions.counts.items():
                    step.hincrby(_COUNTS, name, number)
                if additions.values:
                    step.hset(_COUNTS, mapping=additions.values)
                if put:
                    step.hset(_MARKS, mapping=put)
                if gone:
                    step.hdel(_MARKS, *gone)
                step.set(_POSITION, position)
                step.execute()
            except WatchError:
                return False
        return True

    def tell(self, additions: Additions) -> None:
        """Count what no event tells of."""
        with redis_errors(), self._redis.pipeline(transaction=True) as step:
            for name, number in additions.counts.items():
                step.hincrby(_COUNTS, name, number)
            if additions.values:
                step.hset(_COUNTS, mapping=additions.values)
            step.execute()

    def read(self) -> dict[tuple[str, ...], int]:
        """Return everything that was counted: by name of the metric, labels and bucket."""
        with redis_errors():
            found = cast("_Hash", self._redis.hgetall(_COUNTS))
        return {
            tuple(name.decode().split(_SEPARATOR)): int(number) for name, number in found.items()
        }

    def marks(self) -> dict[str, int]:
        """Return the marks of jobs."""
        with redis_errors():
            found = cast("_Hash", self._redis.hgetall(_MARKS))
        return {name.decode(): int(mark) for name, mark in found.items()}


def field_of(metric: Metric, *labels: str) -> str:
    """Return what a number is kept under."""
    return _SEPARATOR.join((metric.name, *(label.replace(_SEPARATOR, "_") for label in labels)))


def numbers_of(counts: Mapping[tuple[str, ...], int], metric: Metric) -> dict[tuple[str, ...], int]:
    """Return the numbers of one metric, by its labels, and the bucket where it has such."""
    return {place[1:]: number for place, number in counts.items() if place[0] == metric.name}
