"""The same with RQ, in an environment of its own: `rq_side.py URL COUNT WORKER` prints seconds.

RQ's usual Worker forks for each job, its SimpleWorker runs the jobs in its own process.
"""

# mypy: ignore-errors
from __future__ import annotations

import sys
import time

from redis import Redis
from rq import Queue, SimpleWorker, Worker


def main() -> None:
    """Enqueue, then let a worker do all there is."""
    url, count = sys.argv[1], int(sys.argv[2])
    client = Redis.from_url(url)
    queue = Queue(connection=client)
    queue.enqueue_many([Queue.prepare_data("time.monotonic") for _ in range(count)])
    kind = {"Worker": Worker, "SimpleWorker": SimpleWorker}[sys.argv[3]]
    worker = kind([queue], connection=client)
    started = time.perf_counter()
    worker.work(burst=True, logging_level="ERROR")
    print(time.perf_counter() - started)
    done = queue.finished_job_registry.count
    if done != count:
        sys.exit(f"{done} of {count} jobs were done")


if __name__ == "__main__":
    main()
