"""The client for clusters, on a cluster of one node: it asks where each key lives."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from redis.cluster import RedisCluster

from scheduler.job import Outcome, Removal
from scheduler.logs import LogStore
from scheduler.queue import Queue
from tests.support.queue import Background, claimed, job, submit, worker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

pytestmark = pytest.mark.parametrize("redis_server", ["cluster"], indirect=True)


@pytest.fixture
def clustered(redis: Redis, redis_url: str) -> Iterator[Redis]:
    """Return a client that knows that the server is a cluster; `redis` empties it."""
    with RedisCluster.from_url(redis_url) as client:
        yield cast("Redis", client)


def test_the_whole_way_of_a_package(clustered: Redis) -> None:
    queue, logs = Queue(clustered), LogStore(clustered)
    waiting = Background(lambda: queue.claim(worker(), wait=10))
    submit(queue, job("lib"), job("app", "lib"))
    built = waiting.result()
    logs.append(built.job_id, built.attempt, b"line\n")
    assert logs.read_all(built.job_id, built.attempt) == b"line\n"
    queue.renew(built)
    queue.land(built, "delivery")
    (landed,) = queue.claim_landed("runner")
    queue.finish(landed, Outcome.SUCCESS)
    queue.finish(claimed(queue), Outcome.FAILED)
    queue.submit("removal", [], [Removal(target_repo="repo", remove=("lib",))])
    (removal,) = queue.claim_removals("runner")
    queue.finish_removal(removal)
    assert [event.kind for event in queue.events(block=0.1)][-1] == "removal"


def test_looking_and_ruling(clustered: Redis) -> None:
    queue = Queue(clustered)
    submit(queue, job("lib"), job("app", "lib"))
    queue.register(targets=["repo"], sources=["source"])
    assert set(queue.repositories().targets) == {"repo"}
    assert queue.snapshot().total_waiting == 1
    assert queue.resolve("app") == "repo/x86_64/app"
    assert queue.explain("repo/x86_64/app") is not None
    (view,) = queue.find("app")
    assert queue.job(view.job_id) is not None
    assert queue.spec(view.job_id) == job("app", "lib")
    queue.promote(["repo/x86_64/app"])
    backup = list(queue.backup())
    assert queue.reset() == 2
    assert queue.restore(backup).jobs == 2
    queue.cancel(["repo/x86_64/lib"])
    queue.retry(["repo/x86_64/lib"])
