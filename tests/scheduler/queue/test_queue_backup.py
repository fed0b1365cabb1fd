"""What was to be done, taken out of one server and put into another."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from caur_ci.errors import InputError
from scheduler.job import JobState, OnFailure, Outcome, Removal
from scheduler.queue import Queue, Restored
from tests.support.queue import (
    bases,
    build_order,
    claim_all,
    claimed,
    job,
    let_delays_pass,
    submit,
    worker,
)

if TYPE_CHECKING:
    from redis import Redis

    from scheduler.queue import JobView, QueueSnapshot


def _moved(queue: Queue, redis: Redis) -> Restored:
    """Put a backup of the queue, by way of a file, into an empty server."""
    lines = [json.dumps(document) for document in queue.backup()]
    redis.flushall()
    return queue.restore(map(json.loads, lines))


def _comparable(views: tuple[JobView, ...]) -> list[tuple[Any, ...]]:
    fields = (
        *("job_id", "identity", "state", "build_class", "attempt", "submitted", "held_by"),
        *("delayed_until", "lost", "promoted", "delivery", "reason"),
    )
    return [tuple(getattr(view, field) for field in fields) for view in views]


def _shown(snapshot: QueueSnapshot) -> dict[str, Any]:
    kinds = ("ready", "waiting", "held", "delayed", "quarantine")
    return {kind: _comparable(getattr(snapshot, kind)) for kind in kinds} | {
        "paused": snapshot.paused,
        "removals": snapshot.total_removals,
    }


def test_everything_that_waits_comes_back_as_it_was(queue: Queue, redis: Redis) -> None:
    forgetful = Queue(redis, lease=0)
    submit(queue, job("lost", build_class="9"), job("bad"), job("lib"))
    submit(queue, job("app", "lib"), job("holds", "bad", on_failure=OnFailure.HOLD))
    submit(queue, job("x", "lib", "y"), job("y", "x"), job("urgent", build_class="7"))
    claimed(forgetful, worker("strong", 9))
    queue.finish(claimed(queue), Outcome.FAILED, "exit code 4")
    forgetful.reap()
    queue.promote(["repo/x86_64/urgent"])
    queue.register(targets=["repo"], sources=["source"])
    queue.submit("removal", [], [Removal(target_repo="repo", remove=("gone",))])
    queue.pause("moving")
    before = _shown(queue.snapshot())
    assert all(before[kind] for kind in ("ready", "waiting", "held", "delayed"))
    restored = _moved(queue, redis)
    assert (restored.jobs, restored.removals) == (7, 1)
    assert _shown(queue.snapshot()) == before
    assert set(queue.repositories().targets) == {"repo"}

    queue.resume()
    let_delays_pass(redis)
    order = build_order(queue, worker("strong", 9))
    assert order == ["urgent", "lost", "lib", "app", "x", "y"]
    assert queue.claim_removals("runner")[0].removal.remove == ("gone",)
    queue.retry(["repo/x86_64/bad"])
    assert queue.snapshot().total_held == 1


def test_a_running_job_is_pending_again_at_its_turn(queue: Queue, redis: Redis) -> None:
    submit(queue, *map(job, "abc"))
    running = claimed(queue)
    _moved(queue, redis)
    assert bases(claim_all(queue)) == ["a", "b", "c"]
    view = queue.job(running.job_id)
    assert view is not None
    assert view.attempt == 2


def test_a_running_job_gives_way_to_the_newer_one(queue: Queue, redis: Redis) -> None:
    submit(queue, job("a", commit="1" * 40))
    claimed(queue)
    submit(queue, job("a", commit="2" * 40))
    restored = _moved(queue, redis)
    assert (restored.jobs, restored.superseded) == (1, 1)
    assert claimed(queue).spec.commit == "2" * 40
    assert queue.claim(worker()) is None


def test_what_has_landed_is_published_from_there(queue: Queue, redis: Redis) -> None:
    submit(queue, *map(job, "abc"))
    for base in "abc":
        queue.land(claimed(queue), f"delivery-{base}")
    queue.claim_landed("runner", limit=1)
    submit(queue, job("a"), job("d", "b"))
    _moved(queue, redis)
    assert queue.claim(worker()) is None
    landed = queue.claim_landed("runner")
    assert [claim.delivery for claim in landed] == ["delivery-a", "delivery-b", "delivery-c"]
    for claim in landed:
        queue.finish(claim, Outcome.SUCCESS)
    assert build_order(queue) == ["a", "d"]


def test_quarantine_comes_back(queue: Queue, forgetful: Queue, redis: Redis) -> None:
    submit(queue, job("a"))
    for _ in range(5):
        claimed(forgetful)
        queue.reap()
    before = queue.snapshot().quarantine
    assert _moved(queue, redis).quarantined == 1
    (view,) = queue.snapshot().quarantine
    assert (view.reason, view.finished) == (before[0].reason, before[0].finished)
    assert [answer.done for answer in queue.retry(["repo/x86_64/a"])] == [True]
    assert build_order(queue) == ["a"]


def test_requests_are_still_known_and_new_ids_are_new(queue: Queue, redis: Redis) -> None:
    queue.submit("known", [job("a")])
    (last,) = submit(queue, job("b")).jobs
    token = claimed(queue).token
    _moved(queue, redis)
    assert queue.submit("known", [job("a")]).known is True
    assert submit(queue, job("c")).jobs == (last + 1,)
    assert claimed(queue).token > token


def test_each_job_and_the_whole_are_told(queue: Queue, redis: Redis) -> None:
    submit(queue, job("a"), job("b", "a"))
    _moved(queue, redis)
    assert [(event.kind, event.identity, event.state) for event in queue.events()] == [
        ("restored", "repo/x86_64/a", JobState.READY),
        ("restored", "repo/x86_64/b", JobState.WAITING),
        ("restored", "", None),
    ]


def test_waiting_workers_are_woken(queue: Queue, redis: Redis) -> None:
    submit(queue, job("a"))
    assert _moved(queue, redis).jobs == 1
    assert queue.claim(worker(), wait=5) is not None


def test_an_empty_queue_makes_an_empty_backup(queue: Queue, redis: Redis) -> None:
    assert [document["kind"] for document in queue.backup()] == ["queue"]
    assert _moved(queue, redis) == Restored()


@pytest.mark.parametrize("state", ["pending", "running", "removal"])
def test_a_queue_that_holds_something_takes_no_backup(queue: Queue, state: str) -> None:
    if state == "removal":
        queue.submit("removal", [], [Removal(target_repo="repo", remove=("a",))])
    else:
        submit(queue, job("a"))
    if state == "running":
        claimed(queue)
    with pytest.raises(InputError, match="not empty"):
        queue.restore([])


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "nothing"},
        {"id": "x"},
        {"state": "done"},
        {"spec": {}},
        {"spec": {"pkgbase": "../evil"}},
        {"fields": {}},
        {"fields": {"submitted": "1", "owner": "me"}},
        {"surprise": True},
    ],
)
def test_what_is_no_backup_is_refused_as_a_whole(queue: Queue, change: dict[str, Any]) -> None:
    submit(queue, job("a"), job("b"))
    documents = list(queue.backup())
    queue.reset()
    documents[-1] = documents[-1] | change
    with pytest.raises(InputError, match="no part of a backup"):
        queue.restore(documents)
    assert queue.snapshot().total_ready == 0


def test_a_bad_job_in_a_backup_is_refused(queue: Queue) -> None:
    submit(queue, job("a"))
    documents = list(queue.backup())
    queue.reset()
    documents[-1]["spec"]["pkgbase"] = "../evil"
    with pytest.raises(InputError, match="pkgbase"):
        queue.restore(documents)
