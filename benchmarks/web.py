"""What is measured of the web server: many readers of one large log, and of many growing ones."""

from __future__ import annotations

import asyncio
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import BenchmarkError
from benchmarks.queue.server import private_server
from benchmarks.web_readers import Received, ask, read_events, read_text
from caur_ci.environment import child_environment
from scheduler.logs import LogStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from redis import Redis

_LINE = b"[  42%] Building CXX object src/CMakeFiles/tool.dir/part.cpp.o -- all is well\r\n"
_PART = _LINE * 400
_MEMORY_GOAL = 150
_IDENTITY = "bench/x86_64/log"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the one log is (in MB), and how many read it; the same of the many logs.

    `seconds` is how long the many are written and asked for `rate` times a second.
    """

    log: int = 100
    readers: int = 50
    logs: int = 20
    readers_of_each: int = 10
    rate: int = 50
    seconds: float = 15.0


def web_rows(sizes: Sizes | None = None) -> Iterator[tuple[str, str]]:
    """Measure both, each with a server of its own."""
    sizes = sizes or Sizes()
    with private_server() as redis:
        with _web_server(redis.url) as server:
            yield from _one_log(server, redis.client, sizes)
        redis.client.flushall()
        with _web_server(redis.url) as server:
            yield from _many_logs(server, redis.client, sizes)


@dataclass(frozen=True, slots=True)
class _WebServer:
    address: str
    pid: int

    def memory(self) -> float:
        """Return what it had of memory at its peak, in MB."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        found = re.search(r"VmHWM:\s+([0-9]+) kB", status)
        return int(found[1]) / 1024 if found else 0.0

    def processor(self) -> float:
        """Return how many seconds of the processor it has taken."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2]
        used = fields.split()
        return (int(used[11]) + int(used[12])) / os.sysconf("SC_CLK_TCK")


def _one_log(server: _WebServer, client: Redis, sizes: Sizes) -> Iterator[tuple[str, str]]:
    """Half of the readers are there from the start, the others join while it is written."""
    idle = server.memory()
    log = _Log(client, 1, sizes.log * 1_000_000)
    started = time.perf_counter()
    received = asyncio.run(_read_while_written(server, log, sizes.readers))
    taken = time.perf_counter() - started
    _check(received, log)
    memory = server.memory()
    missed = "" if memory <= _MEMORY_GOAL else " (missed)"
    what = f"{sizes.readers} live readers of a log of {sizes.log} MB"
    yield f"{what}: memory (goal: {_MEMORY_GOAL} MB)", f"{memory:.0f} MB{missed}"
    yield "the same server before anybody read", f"{idle:.0f} MB"
    yield f"{what}: lost or doubled", "nothing"
    yield f"{what}: time, with the readers", f"{taken:.1f} s"
    yield f"{what}: processor of the server", f"{server.processor():.1f} s"


def _many_logs(server: _WebServer, client: Redis, sizes: Sizes) -> Iterator[tuple[str, str]]:
    logs = [_Log(client, number, 0) for number in range(1, sizes.logs + 1)]
    received, delays = asyncio.run(_load(server, logs, sizes))
    for log, some in zip(logs, received, strict=True):
        _check(some, log)
    readers = sizes.logs * sizes.readers_of_each
    what = f"{readers} readers of {sizes.logs} growing logs, {sizes.rate} requests/s"
    cuts = statistics.quantiles(delays, n=100)
    yield f"{what}: lost or doubled", "nothing"
    yield (
        f"{what}: requests answered",
        f"{len(delays)}, median {_ms(cuts[49])}, p99 {_ms(cuts[98])}",
    )
    yield f"{what}: memory", f"{server.memory():.0f} MB"
    yield f"{what}: processor of the server", f"{server.processor() / sizes.seconds:.0%} of one"


class _Log:
    """A log that is written, and what has been written of it."""

    def __init__(self, client: Redis, job_id: int, size: int) -> None:
        self._store = LogStore(client)
        self._job_id = job_id
        self._size = size
        self.written = Received()
        self._store.start(job_id, 1, f"{_IDENTITY}-{job_id}")
        self.append()

    @property
    def path(self) -> str:
        return f"/api/v1/logs/{self._job_id}/1"

    def append(self) -> None:
        if not self._store.append(self._job_id, 1, _PART):
            raise BenchmarkError("the log is full")
        self.written.add(_PART)

    def finish(self) -> None:
        self._store.finish(self._job_id, 1)

    def write(self) -> None:
        """Write all of it, as fast as it goes."""
        while self.written.size < self._size:
            self.append()
        self.finish()


async def _read_while_written(server: _WebServer, log: _Log, readers: int) -> list[Received]:
    tasks = [_reader(server, log, number) for number in range(readers // 2)]
    writer = threading.Thread(target=log.write)
    writer.start()
    while writer.is_alive() and len(tasks) < readers:
        await asyncio.sleep(0.02)
        tasks.append(_reader(server, log, len(tasks)))
    tasks += [_reader(server, log, number) for number in range(len(tasks), readers)]
    return await asyncio.gather(*tasks)


def _reader(server: _WebServer, log: _Log, number: int) -> asyncio.Task[Received]:
    """Return one that reads events, or text as four of five do."""
    read = read_text if number % 5 else read_events
    return asyncio.create_task(read(server.address, log.path))


async def _load(
    server: _WebServer, logs: Sequence[_Log], sizes: Sizes
) -> tuple[list[list[Received]], list[float]]:
    readers = [
        [_reader(server, log, number) for number in range(sizes.readers_of_each)] for log in logs
    ]
    requests: list[asyncio.Task[float]] = []
    deadline = time.monotonic() + sizes.seconds
    while time.monotonic() < deadline:
        requests.append(asyncio.create_task(ask(server.address, "/api/v1/queue")))
        await asyncio.to_thread(logs[len(requests) % len(logs)].append)
        await asyncio.sleep(1 / sizes.rate)
    for log in logs:
        log.finish()
    delays = await asyncio.gather(*requests)
    return [await asyncio.gather(*some) for some in readers], list(delays)


def _check(received: Sequence[Received], log: _Log) -> None:
    for each in received:
        if each != log.written:
            raise BenchmarkError(f"a reader was sent {each}, written was {log.written}")


@contextmanager
def _web_server(url: str) -> Iterator[_WebServer]:
    with tempfile.TemporaryDirectory(prefix="caur-bench-") as folder:
        own = {"NO_HTTP_LOG": "true", "HISTORY_PATH": f"{folder}/history", "HOME": folder}
        with subprocess.Popen(
            [sys.executable, "-P", "-m", "caur_ci", "web", "--port", "0", "--redis", url],
            env=child_environment(own),
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield _WebServer(_address(process), process.pid)
            finally:
                process.terminate()


def _address(process: subprocess.Popen[str]) -> str:
    for line in process.stderr or ():
        if found := re.search(r"the web server is at (http://\S+)", line):
            return found[1]
    raise BenchmarkError("the web server did not start")


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms"
