"""How long others wait for the server while the queue is given very much at once."""

from __future__ import annotations

import multiprocessing
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks.measure import BenchmarkError
from benchmarks.queue.jobs import web
from scheduler.connection import connect
from scheduler.queue import Queue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.queues import SimpleQueue
    from multiprocessing.synchronize import Event

    from benchmarks.queue.server import Server

_PAUSE = 0.002
# A process of its own: what the measuring one does with the jobs is not to be measured.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([__name__])


def longest_waits(server: Server, *, jobs: int, dependencies: int) -> dict[str, float]:
    """Return the longest time in seconds that a PING took during each of the large actions."""
    server.client.flushall()
    queue = Queue(server.client)
    specs = web(jobs, dependencies)
    waits: dict[str, float] = {}
    with _pinging(server, waits, "submit"):
        submission = queue.submit("request", specs)
    if len(submission.jobs) != jobs:
        raise BenchmarkError(f"{len(submission.jobs)} of {jobs} jobs were taken")
    with _pinging(server, waits, "submit all of them again"):
        queue.submit("again", specs)
    with _pinging(server, waits, "snapshot"):
        queue.snapshot()
    with _pinging(server, waits, "backup"):
        documents = list(queue.backup())
    with _pinging(server, waits, "reset"):
        queue.reset()
    with _pinging(server, waits, "restore"):
        queue.restore(documents)
    return waits


@contextmanager
def _pinging(server: Server, waits: dict[str, float], name: str) -> Iterator[None]:
    ready, done = _processes.Event(), _processes.Event()
    answer: SimpleQueue[float] = _processes.SimpleQueue()
    process = _processes.Process(target=_ping, args=(server.url, ready, done, answer), daemon=True)
    process.start()
    ready.wait()
    try:
        yield
    finally:
        done.set()
        waits[name] = answer.get()
        process.join()


def _ping(url: str, ready: Event, done: Event, answer: SimpleQueue[float]) -> None:
    longest = 0.0
    with connect(url) as client:
        client.ping()
        ready.set()
        while not done.is_set():
            started = time.perf_counter()
            client.ping()
            longest = max(longest, time.perf_counter() - started)
            time.sleep(_PAUSE)
    answer.put(longest)
