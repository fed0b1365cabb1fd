"""Builders that do everything with the queue that real ones do, except building."""

from __future__ import annotations

import multiprocessing
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from benchmarks.measure import BenchmarkError
from scheduler.connection import connect
from scheduler.heartbeat import DEFAULT_INTERVAL
from scheduler.job import Outcome
from scheduler.logs import LogStore
from scheduler.queue import JobResult, Queue, WorkerIdentity
from scheduler.upkeep import Upkeep

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.synchronize import Event, Semaphore

    from scheduler.queue import Claim

_IN_ONE_PROCESS = 125
_LONGEST = 120.0
# As in the loop of a worker, and in the log of a build that prints all the time.
_CLAIM_WAIT, _LOG_EVERY = 2.0, 0.5
_PRINTED = b"[ 42%] Building CXX object src/CMakeFiles/core.dir/somewhere/something.cpp.o\n" * 12
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([__name__])


class Task(StrEnum):
    """What builders do with a job."""

    AT_ONCE = "it is built at once"
    FOR_LONG = "it is built for as long as they are there"


@dataclass(frozen=True, slots=True)
class Signals:
    """What the processes of a crowd hear and say; a permit of `taken` is a job that was claimed."""

    stop: Event
    there: Semaphore
    taken: Semaphore


@contextmanager
def crowd(url: str, builders: int, task: Task) -> Iterator[Signals]:
    """Have so many builders wait for jobs, and a database runner publish what they deliver."""
    signals = Signals(_processes.Event(), _processes.Semaphore(0), _processes.Semaphore(0))
    counts = [
        min(_IN_ONE_PROCESS, builders - first) for first in range(0, builders, _IN_ONE_PROCESS)
    ]
    processes = [
        _processes.Process(target=_be_builders, args=(url, count, task, signals), daemon=True)
        for count in counts
    ]
    processes.append(_processes.Process(target=_be_runner, args=(url, signals.stop), daemon=True))
    for process in processes:
        process.start()
    try:
        wait_for(signals.there, builders)
        yield signals
    finally:
        signals.stop.set()
        for process in processes:
            process.join(_LONGEST)
            process.kill()


def wait_for(permits: Semaphore, count: int) -> None:
    """Take so many permits. Raises BenchmarkError where they do not come."""
    deadline = time.monotonic() + _LONGEST
    for _ in range(count):
        if not permits.acquire(timeout=deadline - time.monotonic()):
            raise BenchmarkError("the builders did not do what they were to do in time")


def _be_builders(url: str, count: int, task: Task, signals: Signals) -> None:
    threads = [
        threading.Thread(target=_be_builder, args=(url, task, signals), daemon=True)
        for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _be_builder(url: str, task: Task, signals: Signals) -> None:
    with connect(url) as client:
        queue, logs, worker = Queue(client), LogStore(client), WorkerIdentity.new("builder")
        upkeep = Upkeep(queue, sources=["source"])
        upkeep.do()
        signals.there.release()
        while not signals.stop.is_set():
            upkeep.do()
            claim = queue.claim(worker, wait=_CLAIM_WAIT)
            if claim is None:
                continue
            signals.taken.release()
            if task is Task.FOR_LONG:
                _hold(claim, queue, logs, signals.stop)
                queue.release(claim, "the builders go home")
            else:
                queue.land(claim, f"{claim.job_id}-{claim.token}")
        queue.leave(worker.id)


def _hold(claim: Claim, queue: Queue, logs: LogStore, stop: Event) -> None:
    logs.start(claim.job_id, claim.attempt, claim.identity)
    renewed = time.monotonic()
    while not stop.wait(_LOG_EVERY):
        logs.append(claim.job_id, claim.attempt, _PRINTED)
        if time.monotonic() - renewed >= DEFAULT_INTERVAL:
            queue.renew(claim)
            renewed = time.monotonic()


def _be_runner(url: str, stop: Event) -> None:
    with connect(url) as client:
        queue = Queue(client)
        while not stop.is_set():
            claims = queue.claim_landed("runner", wait=0.5)
            queue.finish_all([JobResult(claim, Outcome.SUCCESS) for claim in claims])
