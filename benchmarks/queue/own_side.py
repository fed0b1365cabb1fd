"""Empty jobs the way production takes: `python -m benchmarks.queue.own_side URL COUNT WAY` prints
seconds.

WAY is `fails`: a worker claims each job and finishes it. Or it is `builds`: a worker claims each
job and lands it; then a database runner claims what has landed, renews the leases, as it does
before it publishes, and finishes the jobs.
"""

from __future__ import annotations

import sys
import time

from benchmarks.queue.jobs import plain
from scheduler.connection import connect
from scheduler.job import Outcome
from scheduler.queue import JobResult, Queue, WorkerIdentity

FAILS, BUILDS = "fails", "builds"


def main() -> None:
    """Submit, then let everything come to its end."""
    url, count, way = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    with connect(url) as client:
        queue = Queue(client)
        queue.submit("benchmark", plain(count))
        started = time.perf_counter()
        done = work(queue, way)
        if way == BUILDS:
            done = publish(queue)
        print(time.perf_counter() - started)
    if done != count:
        sys.exit(f"{done} of {count} jobs were done")


def work(queue: Queue, way: str) -> int:
    """Be the worker, one job after the other; return how many there were."""
    worker = WorkerIdentity.new("bench")
    done = 0
    while (claim := queue.claim(worker)) is not None:
        if way == BUILDS:
            queue.land(claim, f"{claim.job_id}-{claim.token}")
        else:
            queue.finish(claim, Outcome.FAILED, "exit code 4")
        done += 1
    return done


def publish(queue: Queue) -> int:
    """Be the database runner; return how many jobs there were."""
    done = 0
    while claims := queue.claim_landed("runner"):
        queue.renew_all(claims)
        queue.finish_all([JobResult(claim, Outcome.SUCCESS) for claim in claims])
        done += len(claims)
    return done


if __name__ == "__main__":
    main()
