"""How long a job waits for a worker when there are workers waiting for a job."""

from __future__ import annotations

import multiprocessing
import random
import statistics
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.measure import BenchmarkError
from benchmarks.queue.jobs import job
from scheduler.connection import connect
from scheduler.job import Outcome
from scheduler.queue import Queue, WorkerIdentity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.queues import SimpleQueue

    from benchmarks.queue.server import Server

_WARM_UP = 20
_LONGEST = 60.0
# Everybody waits again before the next job comes.
_PAUSES = (0.01, 0.04)
# Each worker is a copy of one process that has everything imported.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([__name__])


@dataclass(frozen=True, slots=True)
class Delays:
    """Seconds from the beginning of `submit` to the worker that has got the job."""

    half: float
    nearly_all: float


def hand_out_delays(server: Server, *, workers: int, jobs: int) -> Delays:
    """Submit one job after the other to `workers` waiting processes."""
    server.client.flushall()
    chance = random.Random(workers)
    taken: SimpleQueue[tuple[int, float]] = _processes.SimpleQueue()
    delays = []
    with _waiting(server, workers, taken):
        queue = Queue(server.client)
        for number in range(_WARM_UP + jobs):
            time.sleep(chance.uniform(*_PAUSES))
            submitted = time.monotonic()
            (job_id,) = queue.submit(f"request-{number}", [job(number)]).jobs
            taken_id, at = taken.get()
            if taken_id != job_id:
                raise BenchmarkError(f"job {taken_id} was handed out for job {job_id}")
            delays.append(at - submitted)
    percentiles = statistics.quantiles(delays[_WARM_UP:], n=100)
    return Delays(half=percentiles[49], nearly_all=percentiles[98])


@contextmanager
def _waiting(server: Server, workers: int, taken: SimpleQueue[tuple[int, float]]) -> Iterator[None]:
    processes = [
        _processes.Process(target=_wait, args=(server.url, taken), daemon=True)
        for _ in range(workers)
    ]
    for process in processes:
        process.start()
    try:
        deadline = time.monotonic() + _LONGEST
        while len(Queue(server.client).snapshot().workers) < workers:
            if time.monotonic() > deadline:
                raise BenchmarkError("the waiting workers did not come")
            time.sleep(0.05)
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()


def _wait(url: str, taken: SimpleQueue[tuple[int, float]]) -> None:
    with connect(url) as client:
        queue, worker = Queue(client), WorkerIdentity.new("bench")
        while True:
            claim = queue.claim(worker, wait=_LONGEST)
            if claim is not None:
                taken.put((claim.job_id, time.monotonic()))
                queue.finish(claim, Outcome.SUCCESS)
