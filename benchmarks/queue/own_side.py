"""One worker with empty jobs: `python -m benchmarks.queue.own_side URL COUNT` prints seconds."""

from __future__ import annotations

import sys
import time

from benchmarks.queue.jobs import plain
from scheduler.connection import connect
from scheduler.job import Outcome
from scheduler.queue import Queue, WorkerIdentity


def main() -> None:
    """Submit, then take and end one job after the other."""
    url, count = sys.argv[1], int(sys.argv[2])
    with connect(url) as client:
        queue = Queue(client)
        queue.submit("benchmark", plain(count))
        worker = WorkerIdentity.new("bench")
        done = 0
        started = time.perf_counter()
        claim = queue.claim(worker)
        while claim is not None:
            done += 1
            claim = queue.finish_and_claim(claim, Outcome.SUCCESS, worker=worker)
        print(time.perf_counter() - started)
    if done != count:
        sys.exit(f"{done} of {count} jobs were done")


if __name__ == "__main__":
    main()
