"""Short forms for tests that work with the queue."""

from __future__ import annotations

import itertools
import threading
import time
from typing import TYPE_CHECKING, Any, cast

from scheduler.job import JobSpec, Outcome
from scheduler.queue import Claim, Queue, WorkerIdentity

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

    from scheduler.queue import Submission

COMMIT = "c0ffee" * 6 + "cafe"

_numbers = itertools.count(1)


def job(pkgbase: str, *depends: str, **fields: Any) -> JobSpec:  # noqa: ANN401 - any field
    """Return a job for `pkgbase`, which is its only package unless `pkgnames` are given."""
    values: dict[str, Any] = {
        "target_repo": "repo",
        "source_repo": "source",
        "commit": COMMIT,
        "pkgnames": (pkgbase,),
    }
    return JobSpec(pkgbase=pkgbase, depends=depends, **(values | fields))


def submit(queue: Queue, *jobs: JobSpec) -> Submission:
    """Submit `jobs` as a request of its own."""
    return queue.submit(f"request-{next(_numbers)}", jobs)


def worker(name: str = "worker", build_class: int = 2) -> WorkerIdentity:
    """Return a new worker, for more than the usual architecture."""
    return WorkerIdentity.new(name, build_class, ("x86_64", "x86_64_v3", "aarch64"))


def claimed(queue: Queue, by: WorkerIdentity | None = None) -> Claim:
    """Claim a job that has to be there."""
    claim = queue.claim(by or worker())
    assert claim is not None, "no job was to be had"
    return claim


def bases(claims: list[Claim]) -> list[str]:
    """Return the pkgbases of `claims`."""
    return [claim.spec.pkgbase for claim in claims]


def claim_all(queue: Queue, by: WorkerIdentity | None = None) -> list[Claim]:
    """Claim whatever can be had now, and keep it."""
    by = by or worker()
    claims = []
    while claim := queue.claim(by):
        claims.append(claim)
    return claims


def build_order(queue: Queue, by: WorkerIdentity | None = None) -> list[str]:
    """Build all there is, one after the other, and return in which order."""
    by, order = by or worker(), []
    while claim := queue.claim(by):
        queue.finish(claim, Outcome.SUCCESS)
        order.append(claim.spec.pkgbase)
    return order


def let_delays_pass(redis: Redis) -> None:
    """Make it late enough for whatever the queue keeps back for a while."""
    for job_id in cast("list[bytes]", redis.hvals("{caur}:pending")):
        redis.hdel(f"{{caur}}:job:{int(job_id)}", "due")
    for job_id in cast("list[bytes]", redis.zrange("{caur}:delayed", 0, -1)):
        redis.zadd("{caur}:delayed", {job_id: 1})
    for job_id in cast("list[bytes]", redis.lrange("{caur}:landed", 0, -1)):
        redis.hdel(f"{{caur}}:job:{int(job_id)}", "publish_after")


def let_leases_end(redis: Redis) -> None:
    """Make it late enough for all leases to have run out."""
    for held in cast("list[bytes]", redis.zrange("{caur}:leases", 0, -1)):
        redis.zadd("{caur}:leases", {held: 1})


def eventually(condition: Callable[[], bool], *, within: float = 60.0) -> None:
    """Wait until `condition` holds; fail if it does not.

    One that takes long to find out is asked less often: what is waited for needs the processor.
    """
    deadline = time.monotonic() + within
    asked = time.monotonic()
    while not condition():
        answered = time.monotonic()
        assert answered < deadline, "it did not come to pass"
        time.sleep(max(0.005, 2 * (answered - asked)))
        asked = time.monotonic()


class Background:
    """Calls a function in a thread, and gives its result or raises its error."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function
        self._result: Any = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._result = self._function()
        except BaseException as error:  # noqa: BLE001 - raised again by result()
            self._error = error

    def ends(self, *, within: float) -> bool:
        """Tell whether the function ends within that many seconds."""
        self._thread.join(within)
        return not self._thread.is_alive()

    def result(self, *, within: float = 60.0) -> Any:  # noqa: ANN401 - that of the function
        """Wait for the function to end and return its result."""
        self._thread.join(within)
        assert not self._thread.is_alive(), "it is still running"
        if self._error is not None:
            raise self._error
        return self._result
