"""What happens in the queue is counted once, and what is counted stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scheduler.job import FailureClass, Outcome, Removal
from scheduler.metrics import EventCounter, Tallies
from scheduler.metrics import definitions as m
from scheduler.metrics.tallies import INFINITE, SUM, Additions, numbers_of
from scheduler.queue import Queue, WorkerIdentity
from tests.support.queue import claimed, job, let_leases_end, submit, worker

if TYPE_CHECKING:
    from redis import Redis

    from scheduler.metrics.definitions import Metric


@pytest.fixture
def tallies(redis: Redis, queue: Queue) -> Tallies:
    queue.register(targets=["repo"])
    return Tallies(redis)


def counted(queue: Queue, tallies: Tallies) -> dict[tuple[str, ...], int]:
    counter = EventCounter(queue, tallies)
    while events := queue.events(counter.position(), limit=3):
        counter.consume(events)
    return tallies.read()


def numbers(queue: Queue, tallies: Tallies, metric: Metric) -> dict[tuple[str, ...], int]:
    return numbers_of(counted(queue, tallies), metric)


def publish(queue: Queue, outcome: Outcome = Outcome.SUCCESS) -> None:
    queue.land(claimed(queue), "delivery")
    (landed,) = queue.claim_landed("runner")
    queue.finish(landed, outcome)


def test_the_way_of_a_job(queue: Queue, tallies: Tallies) -> None:
    submit(queue, job("a"))
    publish(queue)
    found = counted(queue, tallies)

    assert numbers_of(found, m.JOBS_SUBMITTED) == {("repo",): 1}
    assert numbers_of(found, m.BUILDS) == {("repo", "1", "success"): 1}
    assert numbers_of(found, m.DELIVERIES) == {("repo", "published"): 1}
    for metric, label in (
        (m.BUILD_SECONDS, "1"),
        (m.JOB_WAIT_SECONDS, "1"),
        (m.PUBLISH_SECONDS, "repo"),
    ):
        assert numbers_of(found, metric)[label, str(metric.buckets[0])] == 1
        assert numbers_of(found, metric)[label, SUM] >= 0
    assert numbers_of(found, m.LAST_PUBLICATION)["repo",] > 1.7e12
    assert tallies.marks() == {}


@pytest.mark.parametrize(
    ("outcome", "result"),
    [(Outcome.ALREADY_BUILT, "unchanged"), (Outcome.FAILED, "refused")],
    ids=str,
)
def test_deliveries_that_are_not_published(
    queue: Queue, tallies: Tallies, outcome: Outcome, result: str
) -> None:
    submit(queue, job("a"))
    publish(queue, outcome)
    found = counted(queue, tallies)

    assert numbers_of(found, m.DELIVERIES) == {("repo", result): 1}
    assert numbers_of(found, m.LAST_PUBLICATION) == {}


def test_failures_by_kind(queue: Queue, tallies: Tallies) -> None:
    submit(queue, job("a"), job("b"))
    queue.finish(claimed(queue), Outcome.FAILED, failure=FailureClass.COMPILE)
    queue.finish(claimed(queue), Outcome.TIMED_OUT)
    found = counted(queue, tallies)

    assert numbers_of(found, m.BUILD_FAILURES) == {("repo", "compile"): 1}
    assert numbers_of(found, m.BUILDS) == {
        ("repo", "1", "failed"): 1,
        ("repo", "1", "timed_out"): 1,
    }
    assert numbers_of(found, m.BUILD_SECONDS)["1", "30"] == 2


def test_builds_that_are_lost(redis: Redis, queue: Queue, tallies: Tallies) -> None:
    submit(queue, job("a"))
    claimed(queue)
    let_leases_end(redis)
    queue.reap()
    found = counted(queue, tallies)

    assert numbers_of(found, m.BUILDS_LOST) == {("not heard of",): 1}


def test_a_wait_is_counted_at_the_first_attempt(
    redis: Redis, queue: Queue, tallies: Tallies
) -> None:
    submit(queue, job("a"))
    queue.release(claimed(queue))
    claimed(queue)

    waits = numbers(queue, tallies, m.JOB_WAIT_SECONDS)
    assert sum(number for (_, bucket), number in waits.items() if bucket != SUM) <= 2
    assert waits["1", "5"] >= 1


def test_removals(queue: Queue, tallies: Tallies) -> None:
    queue.submit("r", [], [Removal(target_repo="repo", remove=("a",))])
    (removal,) = queue.claim_removals("runner")
    queue.finish_removal(removal, removed=["a"])

    assert numbers(queue, tallies, m.REMOVALS) == {("repo", "success"): 1}


def test_labels_are_bounded(redis: Redis, queue: Queue) -> None:
    tallies = Tallies(redis)
    queue.claim(WorkerIdentity.new("big"))
    submit(
        queue,
        job("a", target_repo="made-up"),
        job("b", build_class="07"),
        job("c", build_class="big"),
        job("d", build_class="made-up"),
        job("e", build_class="123456"),
    )
    queue.register(targets=["repo"])
    queue.cancel(["made-up/x86_64/a", *(f"repo/x86_64/{name}" for name in "bcde")])

    labels = numbers(queue, tallies, m.BUILDS)
    assert {place[0] for place in labels} == {"repo", "other"}
    assert {place[1] for place in labels} == {"1", "7", "big", "other"}


def test_two_processes_count_once(redis: Redis, queue: Queue, tallies: Tallies) -> None:
    one, other = EventCounter(queue, tallies), EventCounter(queue, Tallies(redis))
    submit(queue, job("a"))
    events = queue.events()
    one.consume(events)

    other.consume(events)

    assert numbers(queue, tallies, m.JOBS_SUBMITTED) == {("repo",): 1}


def test_what_another_process_has_counted_meanwhile_is_not_counted_again(tallies: Tallies) -> None:
    added = Additions()
    added.count(m.JOBS_SUBMITTED, "repo")

    assert tallies.add(added, after="0", position="2-0")
    assert not tallies.add(added, after="0", position="2-0")

    assert numbers_of(tallies.read(), m.JOBS_SUBMITTED) == {("repo",): 1}
    assert tallies.position() == "2-0"


def test_a_reset_forgets_what_was_on_its_way(queue: Queue, tallies: Tallies) -> None:
    submit(queue, job("a"))
    queue.land(claimed(queue, worker()), "delivery")
    counted(queue, tallies)
    assert len(tallies.marks()) == 1

    queue.reset()

    assert numbers(queue, tallies, m.JOBS_SUBMITTED) == {("repo",): 1}
    assert tallies.marks() == {}


def test_durations_are_put_where_they_belong() -> None:
    added = Additions()
    for seconds in (0.5, 1, 1.5, 899, 901, -3):
        added.observe(m.PUBLISH_SECONDS, seconds, "repo")

    assert {name.rpartition("|")[2]: count for name, count in added.counts.items()} == {
        "1": 3,
        "2.5": 1,
        "900": 1,
        INFINITE: 1,
        SUM: 1_803_000,
    }
