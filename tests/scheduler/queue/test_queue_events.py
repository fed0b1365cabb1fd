"""What the queue tells: events and snapshots."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from scheduler.job import JobState, Outcome, Removal
from scheduler.queue import Queue
from tests.support.queue import Background, claimed, job, submit, worker

if TYPE_CHECKING:
    from redis import Redis


def _kinds(queue: Queue, after: str = "0") -> list[tuple[str, JobState | None]]:
    return [(event.kind, event.state) for event in queue.events(after)]


def test_every_step_of_a_job_is_an_event(queue: Queue) -> None:
    me = worker()
    queue.submit("request-of-a", [job("a", build_class="2", reason="because")])
    claim = claimed(queue, me)
    queue.land(claim, "delivery")
    (landed,) = queue.claim_landed("runner")
    queue.finish(landed, Outcome.SUCCESS, "published")
    events = queue.events()
    assert [(event.kind, event.state) for event in events] == [
        ("submitted", JobState.READY),
        ("claimed", JobState.BUILDING),
        ("landed", JobState.LANDED),
        ("publishing", JobState.PUBLISHING),
        ("done", JobState.DONE),
    ]
    assert {event.identity for event in events} == {"repo/x86_64/a"}
    assert {event.job_id for event in events} == {claim.job_id}
    assert {event.build_class for event in events} == {"2"}
    assert {event.request_id for event in events} == {"request-of-a"}
    assert [event.worker for event in events] == ["", me.id, me.id, "runner", "runner"]
    assert [event.attempt for event in events] == [0, 1, 1, 1, 1]
    assert [event.reason for event in events] == ["because", "", "", "", "published"]
    assert events[-1].outcome is Outcome.SUCCESS
    assert all(abs(event.time - time.time()) < 60 for event in events)
    done = events[-1]
    assert 0 < done.submitted <= done.started <= done.time


def test_waiting_and_being_let_go_are_events(queue: Queue) -> None:
    submit(queue, job("lib"), job("app", "lib"))
    submit(queue, job("lib", "base"))
    submit(queue, job("base"))
    assert _kinds(queue) == [
        ("submitted", JobState.READY),
        ("submitted", JobState.WAITING),
        ("replaced", JobState.READY),
        ("submitted", JobState.READY),
        ("blocked", JobState.WAITING),
    ]
    after = queue.last_event_id()
    queue.finish(claimed(queue), Outcome.SUCCESS)
    assert _kinds(queue, after) == [
        ("claimed", JobState.BUILDING),
        ("done", JobState.DONE),
        ("ready", JobState.READY),
    ]


def test_handing_back_losing_and_canceling_are_events(queue: Queue, redis: Redis) -> None:
    submit(queue, job("a"))
    queue.release(claimed(queue), "shutting down")
    claimed(Queue(redis, lease=0))
    queue.reap()
    claimed(queue)
    queue.submit("remove", [], [Removal(target_repo="repo", remove=("a",))])
    assert _kinds(queue) == [
        ("submitted", JobState.READY),
        ("claimed", JobState.BUILDING),
        ("returned", JobState.READY),
        ("claimed", JobState.BUILDING),
        ("expired", JobState.READY),
        ("claimed", JobState.BUILDING),
        ("removal", JobState.WAITING),
        ("cancel", JobState.BUILDING),
    ]
    assert [event.reason for event in queue.events() if event.kind == "returned"] == [
        "shutting down"
    ]


def test_events_are_read_on_from_where_one_stopped(queue: Queue) -> None:
    submit(queue, *map(job, "abcde"))
    first = queue.events(limit=2)
    rest = queue.events(first[-1].id)
    assert [event.identity[-1] for event in (*first, *rest)] == list("abcde")
    assert queue.events(rest[-1].id) == []
    assert queue.last_event_id() == rest[-1].id


def test_an_empty_queue_has_no_events(queue: Queue) -> None:
    assert queue.last_event_id() == "0"
    assert queue.events(block=0.05) == []


def test_a_reader_may_wait_for_the_next_event(queue: Queue) -> None:
    task = Background(lambda: queue.events(block=30))
    submit(queue, job("a"))
    assert [event.kind for event in task.result()] == ["submitted"]


def test_the_stream_of_events_is_bounded(queue: Queue, redis: Redis) -> None:
    fill = "for i = 1, 101000 do redis.call('XADD', KEYS[1], '*', 'kind', 'old') end"
    redis.eval(fill, 1, "{caur}:events")
    submit(queue, job("a"))
    assert 100_000 <= redis.xlen("{caur}:events") < 100_500
    assert queue.last_event_id() != "0"


def test_a_snapshot_shows_everybody_and_why_jobs_wait(queue: Queue) -> None:
    me = worker("me", 2)
    submit(queue, job("lib"), job("done"), job("app", "lib"), job("heavy", build_class="7"))
    submit(queue, job("named", build_class="cat"), job("free"))
    lib = claimed(queue, me)
    queue.finish(claimed(queue, me), Outcome.FAILED, "exit code 4")
    submit(queue, job("lib"))
    snapshot = queue.snapshot()

    assert [(view.id, view.name, view.build_class) for view in snapshot.workers] == [
        (me.id, "me", 2)
    ]
    assert snapshot.workers[0].jobs == (lib.job_id,)
    (active,) = snapshot.active
    assert (active.identity, active.state, active.worker) == (
        "repo/x86_64/lib",
        JobState.BUILDING,
        me.id,
    )
    assert [(view.identity[12:], view.reason) for view in snapshot.ready] == [
        ("heavy", "waits for a worker of class 7 or higher"),
        ("named", "waits for the worker cat"),
        ("free", ""),
    ]
    assert [(view.identity[12:], view.reason) for view in snapshot.waiting] == [
        ("app", "waits for repo/x86_64/lib (being built), repo/x86_64/lib (waiting)"),
        ("lib", "waits for its own earlier build, which is being built"),
    ]
    (result,) = snapshot.recent
    assert (result.outcome, result.reason) == (Outcome.FAILED, "exit code 4")
    assert (snapshot.total_active, snapshot.total_ready, snapshot.total_waiting) == (1, 3, 2)


def test_a_snapshot_of_nothing_is_empty(queue: Queue) -> None:
    snapshot = queue.snapshot()
    assert not any((snapshot.workers, snapshot.active, snapshot.ready))
    assert not any((snapshot.waiting, snapshot.recent, snapshot.total_removals))


def test_a_snapshot_keeps_to_its_limit(queue: Queue) -> None:
    submit(queue, *(job(f"p{number}") for number in range(20)))
    submit(queue, *(job(f"q{number}", "p0") for number in range(20)))
    snapshot = queue.snapshot(limit=5)
    assert [view.identity[12:] for view in snapshot.ready] == ["p0", "p1", "p2", "p3", "p4"]
    assert len(snapshot.waiting) == 5
    assert (snapshot.total_ready, snapshot.total_waiting) == (20, 20)


def test_a_snapshot_shows_only_what_is_still_true(queue: Queue) -> None:
    submit(queue, job("a"), job("b"), job("c"))
    submit(queue, job("a", build_class="9"), job("b", "c"))
    assert [view.identity[12:] for view in queue.snapshot().ready] == ["a", "c"]


def test_runners_are_shown_among_the_workers(queue: Queue) -> None:
    queue.claim_landed("runner-1")
    (view,) = queue.snapshot().workers
    assert (view.id, view.build_class) == ("runner-1", 0)


def test_who_asked_for_what_is_among_the_events(queue: Queue) -> None:
    (job_id,) = submit(queue, job("a")).jobs
    queue.record_wish(
        "cancel", "somebody", identity="repo/x86_64/a", job_id=job_id, reason="x" * 5000
    )
    queue.record_wish("schedule", "somebody", request_id="request-1")

    _, first, second = queue.events()

    assert (first.kind, first.identity, first.job_id) == ("asked", "repo/x86_64/a", job_id)
    assert first.reason.startswith("cancel by somebody: xxx")
    assert len(first.reason) == 1000
    assert (second.kind, second.reason, second.request_id) == (
        *("asked", "schedule by somebody", "request-1"),
    )
    assert second.state is None
