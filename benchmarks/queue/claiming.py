"""What a claim costs in a short queue and in a long one, measured in turns."""

from __future__ import annotations

import itertools
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.measure import BenchmarkError
from benchmarks.queue.jobs import pairs
from scheduler.job import Outcome
from scheduler.queue import Queue, WorkerIdentity

if TYPE_CHECKING:
    from benchmarks.queue.server import Server

_BATCH = 10_000


@dataclass(frozen=True, slots=True)
class ClaimCosts:
    """The median of a claim in seconds, in either queue."""

    short: float
    long: float

    @property
    def ratio(self) -> float:
        """How much more the long queue costs."""
        return self.long / self.short


class Line:
    """A queue that is kept at its length; one half of its jobs waits for the other."""

    def __init__(self, server: Server, length: int) -> None:
        server.client.flushall()
        self._queue = Queue(server.client)
        self._worker = WorkerIdentity.new("bench")
        self._numbers = itertools.count(step=2)
        for first in range(0, length, _BATCH):
            self._add(min(_BATCH, length - first))

    def claim(self) -> float:
        """Return the seconds that one claim took; put a new job in the place of the one done."""
        started = time.perf_counter()
        claim = self._queue.claim(self._worker)
        seconds = time.perf_counter() - started
        if claim is None:
            raise BenchmarkError("the queue is empty")
        self._queue.finish(claim, Outcome.SUCCESS)
        if not claim.spec.depends:
            self._add(2)
        return seconds

    def _add(self, count: int) -> None:
        first = next(self._numbers)
        jobs = pairs(count, first=first)
        for _ in range(count // 2 - 1):
            next(self._numbers)
        self._queue.submit(f"request-{first}", jobs)


def claim_costs(short: Line, long: Line, *, claims: int) -> ClaimCosts:
    """Claim from both queues by turns, so that whatever else happens, happens to both."""
    took = [(short.claim(), long.claim()) for _ in range(claims)]
    return ClaimCosts(
        short=statistics.median(seconds for seconds, _ in took),
        long=statistics.median(seconds for _, seconds in took),
    )
