"""Blocking waits, hints, and many at once."""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from scheduler.connection import connect
from scheduler.job import Outcome, Removal
from scheduler.queue import Queue
from tests.support.queue import Background, claimed, eventually, job, submit, worker
from tests.support.servers import on_one_server

if TYPE_CHECKING:
    from redis import Redis

    from scheduler.queue import WorkerIdentity


pytestmark = pytest.mark.usefixtures("hints_only")


def _waits(redis: Redis, waiter: str) -> bool:
    return bool(redis.hexists("{caur}:idle_until", waiter))


def _waiting_claim(queue: Queue, redis: Redis, by: WorkerIdentity) -> Background:
    task = Background(lambda: queue.claim(by, wait=30))
    eventually(lambda: _waits(redis, by.id))
    return task


def test_without_work_a_claim_comes_back_empty_after_its_wait(queue: Queue) -> None:
    started = time.monotonic()
    assert queue.claim(worker(), wait=0.2) is None
    assert time.monotonic() - started >= 0.2


def test_a_waiting_worker_is_woken_by_a_submitted_job(queue: Queue, redis: Redis) -> None:
    task = _waiting_claim(queue, redis, worker())
    submit(queue, job("a"))
    assert task.result().spec.pkgbase == "a"


def test_a_waiting_worker_is_woken_by_a_dependency_that_is_done(queue: Queue, redis: Redis) -> None:
    submit(queue, job("lib"), job("app", "lib"))
    running = claimed(queue)
    task = _waiting_claim(queue, redis, worker())
    queue.finish(running, Outcome.SUCCESS)
    assert task.result().spec.pkgbase == "app"


def test_a_waiting_worker_is_woken_by_a_job_that_is_handed_back(queue: Queue, redis: Redis) -> None:
    submit(queue, job("a"))
    running = claimed(queue)
    task = _waiting_claim(queue, redis, worker())
    queue.release(running)
    assert task.result().spec.pkgbase == "a"


def test_only_a_worker_that_may_build_the_job_is_woken(queue: Queue, redis: Redis) -> None:
    small, big = worker("small", 1), worker("big", 9)
    small_task = _waiting_claim(queue, redis, small)
    big_task = _waiting_claim(queue, redis, big)
    submit(queue, job("heavy", build_class="5"))
    assert big_task.result().spec.pkgbase == "heavy"
    assert _waits(redis, small.id)
    submit(queue, job("named", build_class="small"))
    assert small_task.result().spec.pkgbase == "named"


def test_the_least_worker_that_will_do_is_woken(queue: Queue, redis: Redis) -> None:
    big, small = worker("big", 9), worker("small", 1)
    big_task = _waiting_claim(queue, redis, big)
    small_task = _waiting_claim(queue, redis, small)
    submit(queue, job("light"))
    assert small_task.result().spec.pkgbase == "light"
    assert _waits(redis, big.id)
    submit(queue, job("heavy", build_class="9"))
    assert big_task.result().spec.pkgbase == "heavy"


def test_one_batch_wakes_as_many_workers_as_it_has_work_for(queue: Queue, redis: Redis) -> None:
    tasks = [_waiting_claim(queue, redis, worker()) for _ in range(4)]
    submit(queue, *map(job, "abcd"))
    assert sorted(task.result().spec.pkgbase for task in tasks) == list("abcd")


def test_a_lost_hint_is_made_up_for(
    queue: Queue, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.queue.reader.LONGEST_BLOCK", 0.2)
    waiting = worker()
    task = _waiting_claim(queue, redis, waiting)
    # As if the hint went to somebody who died before he could follow it.
    redis.hdel("{caur}:idle_until", waiting.id)
    submit(queue, job("a"))
    assert task.result().spec.pkgbase == "a"


def test_a_worker_that_stopped_waiting_is_not_given_hints(queue: Queue, redis: Redis) -> None:
    gone = worker()
    assert queue.claim(gone, wait=0.05) is None
    assert not _waits(redis, gone.id)
    task = _waiting_claim(queue, redis, worker())
    submit(queue, job("a"))
    assert task.result().spec.pkgbase == "a"


def test_nothing_is_kept_of_workers_that_were_not_heard_of_for_long(
    queue: Queue, redis: Redis
) -> None:
    waiting = worker("gone")
    queue.claim(waiting, wait=0.1)
    queue.claim_landed("runner", wait=0.1)
    redis.zadd("{caur}:seen", {waiting.id: 1, "runner": 1})
    queue.reap()
    kept = redis.keys("{caur}:idle*") + redis.keys("{caur}:workers")
    assert kept == []


def test_a_runner_is_woken_by_a_landed_job_and_by_a_removal(queue: Queue, redis: Redis) -> None:
    submit(queue, job("a"))
    building = claimed(queue)
    task = Background(lambda: queue.claim_landed("runner", wait=30))
    eventually(lambda: _waits(redis, "runner"))
    queue.land(building, "delivery")
    (landed,) = task.result()
    queue.finish(landed, Outcome.SUCCESS)

    task = Background(lambda: queue.claim_landed("runner", wait=30))
    eventually(lambda: _waits(redis, "runner"))
    queue.submit("remove", [], [Removal(target_repo="repo", remove=("a",))])
    assert task.result() == []
    assert len(queue.claim_removals("runner")) == 1


def test_a_runner_is_woken_when_the_removal_before_its_job_is_done(
    queue: Queue, redis: Redis
) -> None:
    queue.submit("remove", [job("a")], [Removal(target_repo="repo", remove=("b",))])
    queue.land(claimed(queue), "delivery")
    (removal,) = queue.claim_removals("runner-1")
    task = Background(lambda: queue.claim_landed("runner-2", wait=30))
    eventually(lambda: _waits(redis, "runner-2"))
    queue.finish_removal(removal)
    assert [claim.spec.pkgbase for claim in task.result()] == ["a"]


def test_a_runner_is_woken_when_the_job_before_its_removal_is_published(
    queue: Queue, redis: Redis
) -> None:
    submit(queue, job("a"))
    queue.land(claimed(queue), "delivery")
    (publishing,) = queue.claim_landed("runner-1")
    queue.submit("remove", [], [Removal(target_repo="repo", remove=("a",))])
    task = Background(lambda: queue.claim_landed("runner-2", wait=30))
    eventually(lambda: _waits(redis, "runner-2"))
    queue.finish(publishing, Outcome.SUCCESS)
    assert task.result() == []
    assert len(queue.claim_removals("runner-2")) == 1


def test_a_runner_is_woken_by_a_delivery_that_another_hands_back(
    queue: Queue, redis: Redis
) -> None:
    submit(queue, job("a"))
    queue.land(claimed(queue), "delivery")
    (publishing,) = queue.claim_landed("runner-1")
    task = Background(lambda: queue.claim_landed("runner-2", wait=30))
    eventually(lambda: _waits(redis, "runner-2"))
    queue.release(publishing)
    assert [claim.job_id for claim in task.result()] == [publishing.job_id]


def _work(url: str, name: str) -> list[str]:
    """Build until nothing is left, in a process of its own."""
    built = []
    with connect(url) as client:
        queue, me = Queue(client), worker(name)
        while claim := queue.claim(me, wait=0.5):
            built.append(claim.spec.pkgbase)
            queue.finish(claim, Outcome.SUCCESS)
    return built


@on_one_server
def test_many_processes_build_every_job_exactly_once_and_in_order(
    queue: Queue, redis_url: str
) -> None:
    count = 300
    jobs = [job(f"p{n}", *(f"p{d}" for d in (n // 2, n - 7) if 0 <= d < n)) for n in range(count)]
    context = multiprocessing.get_context("spawn")
    with context.Pool(4) as pool:
        results = [pool.apply_async(_work, (redis_url, f"w{number}")) for number in range(4)]
        for first in range(0, count, 60):
            submit(queue, *jobs[first : first + 60])
        built = [base for result in results for base in result.get(120)]
    assert Counter(built) == Counter(job.pkgbase for job in jobs)

    events = queue.events(limit=10_000)
    started = {
        event.identity: index for index, event in enumerate(events) if event.kind == "claimed"
    }
    ended = {event.identity: index for index, event in enumerate(events) if event.kind == "done"}
    for spec in jobs:
        for dependency in spec.depends:
            assert ended[f"repo/x86_64/{dependency}"] < started[spec.identity]


def test_many_threads_share_one_queue_object(queue: Queue) -> None:
    submit(queue, *(job(f"p{number}") for number in range(200)))

    def work(_: int) -> list[str]:
        me, built = worker(), []
        while claim := queue.claim(me):
            queue.finish(claim, Outcome.SUCCESS)
            built.append(claim.spec.pkgbase)
        return built

    with ThreadPoolExecutor(8) as pool:
        built = [base for part in pool.map(work, range(8)) for base in part]
    assert sorted(built) == sorted(f"p{number}" for number in range(200))


def test_submitters_that_race_with_one_request_id_submit_it_once(queue: Queue) -> None:
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: queue.submit("same", [job("a")]), range(16)))
    assert [submission.known for submission in done].count(False) == 1
