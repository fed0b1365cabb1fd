"""What the benchmarks of the history run in processes of their own."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from scheduler.connection import connect
from scheduler.history import BuildLogs, History, LogArchiver
from scheduler.logs import LogStore
from scheduler.queue import Claim, Queue
from scheduler.worker.joblog import JobLog
from tests.support.queue import job

if TYPE_CHECKING:
    from redis import Redis

_LINE = b"[ %5d] gcc -O2 -march=x86-64 -I/usr/include/thing -c src/part.c -o build/part.o\r\n"
_PORTION = 64 * 1024
CLAIM = Claim(job_id=1, token=1, attempt=1, owner="worker", lease_until=0, spec=job("large"))


def write(client: Redis, _folder: Path, size: int) -> None:
    """Write a log as a worker does."""
    text = b"".join(_LINE % number for number in range(_PORTION // 80))
    with JobLog(LogStore(client), CLAIM, secrets=["s3cret-password", "another-secret"]) as log:
        for _ in range(-(-size // len(text))):
            log.write(text)


def archive(client: Redis, folder: Path, size: int) -> None:
    """Move it to disk, and let Redis drop it."""
    with History.open(folder) as history:
        LogArchiver(Queue(client), LogStore(client), history).look()
        kept = history.logs.get(CLAIM.job_id, CLAIM.attempt)
        assert kept is not None  # noqa: S101 - a benchmark
        assert kept.size >= size  # noqa: S101
        assert LogStore(client).drop(CLAIM.job_id, CLAIM.attempt, kept.size)  # noqa: S101


def read(client: Redis, folder: Path, size: int) -> None:
    """Read it to its end with fifty readers at once."""
    with History.open(folder, read_only=True) as history:
        logs = BuildLogs(LogStore(client), history)
        threads = [threading.Thread(target=_read_all, args=(logs, size)) for _ in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _read_all(logs: BuildLogs, size: int) -> None:
    offset, ended = 0, False
    while not ended:
        chunk = logs.read(CLAIM.job_id, CLAIM.attempt, offset, limit=_PORTION * 4)
        offset, ended = chunk.next_offset, chunk.ended
    assert offset >= size  # noqa: S101


def main() -> None:
    """Run what the command line names."""
    step, url, folder, size = sys.argv[1:]
    with connect(url) as client:
        {"write": write, "archive": archive, "read": read}[step](client, Path(folder), int(size))


if __name__ == "__main__":
    main()
