"""What the builders cost the server, and how many it could carry."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, cast

from benchmarks.machines.crowd import Task, crowd, wait_for
from benchmarks.queue.jobs import web
from benchmarks.queue.server import private_server
from scheduler.queue import Queue, keys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.synchronize import Semaphore

    from redis import Redis

    from benchmarks.queue.server import Server

BUILDERS, PACKAGES = 1_000, 100_000
_SECONDS = 15.0
_DEPENDENCIES_EACH = 2
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reading:
    """The server's meters: processor seconds, runs of scripts, and bytes that it has sent."""

    at: float
    busy: float
    scripts: int
    sent: int

    @classmethod
    def of(cls, client: Redis) -> Self:
        """Read them."""
        info = client.info("everything")
        scripts = info.get("cmdstat_evalsha", {}).get("calls", 0)
        busy = info["used_cpu_user"] + info["used_cpu_sys"]
        return cls(time.monotonic(), busy, scripts, info["total_net_output_bytes"])

    def since(self, before: Reading) -> Reading:
        """Return what has come on top."""
        return Reading(
            at=self.at - before.at,
            busy=self.busy - before.busy,
            scripts=self.scripts - before.scripts,
            sent=self.sent - before.sent,
        )

    @property
    def rate(self) -> str:
        """How busy the server was, for people."""
        return (
            f"{self.busy / self.at:.0%} of a core, {self.scripts / self.at:,.0f} scripts/s, "
            f"{self.sent / self.at / 1e6:.1f} MB/s out"
        )


def machines_rows(
    *, builders: int = BUILDERS, packages: int = PACKAGES, seconds: float = _SECONDS
) -> Iterator[tuple[str, str]]:
    """Measure each state of the queue for some seconds, with the server that is installed."""
    with private_server() as server:
        server.write_to_disk("everysec")
        client, queue = server.client, Queue(server.client)
        yield "server", f"{server.version}, appendfsync everysec"
        queue.pause("until everybody is there")
        yield from _submit(server, queue, packages)
        crew = f"{builders:,} builders"
        with crowd(server.url, builders, Task.AT_ONCE) as signals:
            yield f"{crew} wait: connections", f"{_connections(client):,}"
            yield f"{crew} wait", _watched(client, seconds).rate
            yield "a look at the whole queue, as the web server takes it", _look(queue)
            queue.resume()
            usage = _watched(client, seconds)
            done = _permits(signals.taken)
            queue.pause("the next crew comes")
        yield from _throughput(crew, done, usage)
        yield from _events(client)
        left = packages - done
        queue.resume()
        with crowd(server.url, builders, Task.FOR_LONG) as signals:
            wait_for(signals.taken, min(builders, left))
            yield f"{crew} build, and print all the time", _watched(client, seconds).rate
            yield "memory then, logs counted", _memory(client)


def _submit(server: Server, queue: Queue, packages: int) -> Iterator[tuple[str, str]]:
    dependencies = _DEPENDENCIES_EACH * packages
    specs = web(packages, dependencies)
    before = int(server.client.info("memory")["used_memory"])
    started = time.perf_counter()
    queue.submit("request", specs)
    took = time.perf_counter() - started
    yield f"{packages:,} jobs with {dependencies:,} dependencies are submitted", f"{took:.1f} s"
    used = int(server.client.info("memory")["used_memory"]) - before
    each = used / packages
    yield "memory that they take", f"{used / _MIB:.0f} MiB, {each:,.0f} bytes each"


def _watched(client: Redis, seconds: float) -> Reading:
    before = Reading.of(client)
    time.sleep(seconds)
    return Reading.of(client).since(before)


def _throughput(crew: str, done: int, usage: Reading) -> Iterator[tuple[str, str]]:
    what = f"{crew} build in no time"
    yield f"{what}: jobs claimed and landed", f"{done / usage.at:,.0f}/s"
    yield f"{what}: the server meanwhile", usage.rate
    each = usage.busy / max(done, 1)
    yield "processor time of the server for a job, published and all", f"{each * 1000:.2f} ms"
    yield "so one core of the server could do", f"{1 / max(each, 1e-9):,.0f} jobs/s"


def _look(queue: Queue) -> str:
    took = []
    for _ in range(3):
        started = time.perf_counter()
        queue.snapshot()
        took.append(time.perf_counter() - started)
    return f"{min(took) * 1000:.0f} ms"


def _events(client: Redis) -> Iterator[tuple[str, str]]:
    length = int(client.xlen(keys.EVENTS))
    size = int(client.memory_usage(keys.EVENTS, samples=100) or 0)
    newest = cast("list[Any]", client.xrevrange(keys.EVENTS, count=1000))
    told = sum(len(name) + len(value) for _, fields in newest for name, value in fields.items())
    kept = f"{length:,}, {size / _MIB:.0f} MiB, {size / max(length, 1):.0f} bytes each"
    yield "events that are kept", kept
    yield "one event, as a follower reads it", f"{told / max(len(newest), 1):.0f} bytes"


def _permits(semaphore: Semaphore) -> int:
    count = 0
    while semaphore.acquire(block=False):
        count += 1
    return count


def _connections(client: Redis) -> int:
    return int(client.info("clients")["connected_clients"])


def _memory(client: Redis) -> str:
    info = client.info("memory")
    return (
        f"{info['used_memory'] / _MIB:.0f} MiB, at most {info['used_memory_peak'] / _MIB:.0f} MiB"
    )
