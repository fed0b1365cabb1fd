"""Jobs for several architectures of one repository, and which workers take them."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from scheduler.job import OnFailure, Outcome
from scheduler.presence import Presence
from scheduler.queue import WorkerIdentity, keys
from tests.support.queue import (
    Background,
    bases,
    build_order,
    claim_all,
    claimed,
    eventually,
    job,
    submit,
)

if TYPE_CHECKING:
    from redis import Redis

    from scheduler.queue import Queue

V3, ARM = "x86_64_v3", "aarch64"


def worker(*architectures: str, name: str = "worker") -> WorkerIdentity:
    return WorkerIdentity.new(name, 2, architectures)


class TestClaims:
    def test_a_worker_is_given_what_it_builds(self, queue: Queue) -> None:
        submit(queue, job("a", arch=ARM), job("b"), job("c", arch=V3), job("d", arch=ARM))
        queue.promote([f"repo/{ARM}/d"])

        assert bases(claim_all(queue, worker("x86_64"))) == ["b"]
        assert bases(claim_all(queue, worker(ARM, V3))) == ["d", "a", "c"]

    def test_a_text_class_is_for_the_worker_of_that_name_that_builds_it(self, queue: Queue) -> None:
        submit(queue, job("a", arch=ARM, build_class="cat"))

        assert queue.claim(worker("x86_64", name="cat")) is None
        assert queue.claim(worker(ARM, name="dog")) is None
        assert claimed(queue, worker(ARM, name="cat")).spec.pkgbase == "a"

    @pytest.mark.parametrize("build_class", ["1", "cat"])
    def test_a_job_wakes_a_worker_that_builds_it(
        self, queue: Queue, redis: Redis, build_class: str
    ) -> None:
        others, fitting = worker("x86_64", name="cat"), worker(V3, ARM, name="cat")
        tasks = [Background(partial(queue.claim, each, wait=60)) for each in (others, fitting)]
        eventually(lambda: redis.hlen("{caur}:idle_until") == 2)
        submit(queue, job("a", arch=ARM, build_class=build_class))

        assert tasks[1].result(within=30).spec.pkgbase == "a"
        assert redis.hexists("{caur}:idle_until", others.id)
        submit(queue, job("b", build_class=build_class))
        assert tasks[0].result(within=30).spec.pkgbase == "b"

    def test_a_pause_that_ends_wakes_workers_of_all_architectures(
        self, queue: Queue, redis: Redis
    ) -> None:
        queue.pause()
        submit(queue, job("a", arch=ARM))
        me = worker(ARM)
        task = Background(lambda: queue.claim(me, wait=60))
        eventually(lambda: bool(redis.hexists("{caur}:idle_until", me.id)))
        queue.resume()

        assert task.result(within=30).spec.pkgbase == "a"

    def test_a_job_nobody_can_build_says_so(self, queue: Queue, redis: Redis) -> None:
        submit(queue, job("a", arch=ARM), job("b", arch=ARM, build_class="cat"))
        queue.claim(worker("x86_64", name="cat"))
        reasons = [view.reason for view in queue.snapshot().ready]
        why = queue.explain(f"repo/{ARM}/a")

        assert reasons == [
            f"waits for a worker of class 1 or higher that builds {ARM}",
            f"waits for the worker cat that builds {ARM}",
        ]
        assert why is not None
        assert (why.able, why.reasons) == ((), (reasons[0],))
        Presence(redis).takes_no_jobs(worker(ARM), "its disk is full")
        assert "its disk is full" in queue.snapshot().ready[0].reason

    def test_a_worker_that_may_have_died_is_not_waited_for_in_silence(
        self, queue: Queue, redis: Redis
    ) -> None:
        me = worker(ARM)
        queue.claim(me)
        submit(queue, job("a", arch=ARM))
        assert queue.snapshot().ready[0].reason == ""

        for minutes, dead in ((2, False), (7, True)):
            redis.zadd(keys.SEEN, {me.id: (time.time() - 60 * minutes - 5) * 1000})
            reason = queue.snapshot().ready[0].reason
            assert ("it was not heard of for 7 minutes" in reason) is dead


class TestSharing:
    def test_others_wait_for_what_is_shared_with_them(self, queue: Queue) -> None:
        submit(
            queue,
            job("app", "lib", "data", arch=V3),
            job("tool", "lib", arch=ARM),
            job("lib", provides=("lib.so",), shared_with=(V3,)),
            job("late", "lib.so", arch=V3),
            job("data", arch=V3),
        )

        # By their turns, but for what waits; `lib` is another one for aarch64.
        order = build_order(queue, worker("x86_64", V3, ARM))
        assert order == ["tool", "lib", "late", "data", "app"]

    def test_nothing_shared_means_no_waiting(self, queue: Queue) -> None:
        submit(queue, job("app", "lib", arch=V3), job("lib"))

        assert claimed(queue, worker(V3)).spec.pkgbase == "app"

    def test_a_failure_holds_those_of_other_architectures(self, queue: Queue) -> None:
        submit(
            queue,
            job("lib", shared_with=(V3, ARM)),
            job("app", "lib", arch=V3, on_failure=OnFailure.HOLD),
        )
        queue.finish(claimed(queue, worker("x86_64")), Outcome.FAILED)

        assert queue.claim(worker(V3)) is None
        (held,) = queue.snapshot().held
        assert held.held_by == ("repo/x86_64/lib",)
        queue.retry(["repo/x86_64/lib"])
        queue.finish(claimed(queue, worker("x86_64")), Outcome.SUCCESS)
        assert claimed(queue, worker(V3)).spec.pkgbase == "app"

    def test_a_job_that_is_not_shared_any_more_keeps_nobody(self, queue: Queue) -> None:
        submit(queue, job("lib", shared_with=(V3,)), job("app", "lib", arch=V3))
        assert queue.claim(worker(V3)) is None
        submit(queue, job("lib"))

        assert claimed(queue, worker(V3)).spec.pkgbase == "app"

    def test_a_backup_keeps_what_is_shared(self, queue: Queue) -> None:
        submit(queue, job("lib", shared_with=(V3,)), job("app", "lib", arch=V3))
        documents = list(queue.backup())
        queue.reset()
        queue.restore(documents)

        assert queue.claim(worker(V3)) is None
        assert build_order(queue, worker("x86_64", V3)) == ["lib", "app"]
