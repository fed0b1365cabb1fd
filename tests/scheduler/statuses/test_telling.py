"""From the queue's events to what a forge shows: every status comes to an end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scheduler.job import OnRunning, Outcome
from scheduler.logs import LogStore
from scheduler.outbox import Patience
from scheduler.queue import Backoff, Queue
from tests.scheduler.statuses.conftest import telling_of
from tests.support.forges.model import Fault
from tests.support.queue import claimed, job, let_delays_pass, let_leases_end, submit

if TYPE_CHECKING:
    from redis import Redis

    from tests.scheduler.statuses.conftest import Shown, Telling
    from tests.support.clock import Clock

ONE, OTHER = "1" * 40, "2" * 40
DAY = 86400.0


def shown(there: Shown) -> list[tuple[str, str]]:
    return [(status.state, status.description) for status in there.statuses]


def test_a_build_is_shown_live(redis: Redis, telling: Telling, gitlab: Shown) -> None:
    queue = telling.queue
    submit(queue, job("a", commit_reference=f"{ONE}:42"))
    telling.tell()
    assert shown(gitlab) == [("pending", "Waiting for builder...")]

    claim = claimed(queue)
    LogStore(redis).start(claim.job_id, claim.attempt, claim.identity)
    LogStore(redis).append(claim.job_id, claim.attempt, b"==> Making package")
    telling.tell()
    assert shown(gitlab) == [("running", "Build in progress...")]

    queue.land(claim, "delivery")
    (landed,) = queue.claim_landed("runner")
    queue.finish(landed, Outcome.SUCCESS)
    telling.tell()

    assert shown(gitlab) == [("success", "Package successfully deployed.")]
    (status,) = gitlab.statuses
    assert (status.commit, status.pipeline, status.name) == (ONE, 42, "awesome-repo: a")
    assert status.link.startswith("https://builds.example.org/logs.html?timestamp=1")
    assert status.link.endswith("&id=a")
    assert telling.outbox.entries() == telling.outbox.notes() == {}


@pytest.mark.parametrize(
    ("outcome", "state", "description"),
    [
        (Outcome.ALREADY_BUILT, "canceled", "Build skipped because package was already built."),
        (Outcome.SKIPPED, "canceled", "Build skipped intentionally via build tools."),
        (Outcome.FAILED, "failed", "Build failed."),
        (Outcome.TIMED_OUT, "failed", "Build timed out."),
        (Outcome.CANCELED, "canceled", "Build canceled."),
        (Outcome.CANCELED_REQUEUE, "canceled", "Build canceled and replaced."),
        (Outcome.SOFTWARE_FAILURE, "failed", "Build failed."),
    ],
    ids=str,
)
def test_ends(
    telling: Telling, gitlab: Shown, outcome: Outcome, state: str, description: str
) -> None:
    submit(telling.queue, job("a"))
    telling.queue.finish(claimed(telling.queue), outcome)
    telling.tell()

    assert shown(gitlab) == [(state, description)]


def test_only_the_newest_of_each_job_is_set(telling: Telling, gitlab: Shown) -> None:
    submit(telling.queue, job("a"), job("b"))
    telling.follow()
    telling.queue.finish(claimed(telling.queue), Outcome.FAILED)
    claimed(telling.queue)
    telling.tell()

    assert len(gitlab.forge.calls) == 2
    assert sorted(state for state, _ in shown(gitlab)) == ["failed", "running"]


def test_builds_of_other_sources_are_none_of_its_business(telling: Telling, gitlab: Shown) -> None:
    submit(telling.queue, job("a", source_repo="elsewhere"))
    telling.queue.finish(claimed(telling.queue), Outcome.FAILED)
    telling.tell()

    assert gitlab.forge.calls == []


def test_a_commit_that_another_one_takes_the_place_of(telling: Telling, gitlab: Shown) -> None:
    submit(telling.queue, job("a", commit_reference=f"{ONE}:1"))
    telling.tell()
    submit(telling.queue, job("a", commit_reference=f"{OTHER}:2"))
    telling.tell()

    assert [(it.commit, it.state, it.description) for it in gitlab.statuses] == [
        (ONE, "canceled", "Build canceled and replaced."),
        (OTHER, "pending", "Waiting for builder..."),
    ]


def test_a_running_build_that_gives_way(telling: Telling, gitlab: Shown) -> None:
    queue = telling.queue
    submit(queue, job("a", commit_reference=ONE))
    claim = claimed(queue)
    queue.submit("newer", [job("a", commit_reference=OTHER)], on_running=OnRunning.CANCEL)
    queue.finish(claim, Outcome.CANCELED, "request newer asks for a newer build")
    telling.tell()

    assert sorted((it.commit, it.state, it.description) for it in gitlab.statuses) == [
        (ONE, "canceled", "Build canceled and replaced."),
        (OTHER, "pending", "Waiting for builder..."),
    ]


def test_the_death_of_a_worker_leaves_no_status_hanging(
    redis: Redis, telling: Telling, gitlab: Shown
) -> None:
    queue = Queue(redis, backoff=Backoff(losses=2))
    submit(queue, job("a"))
    for _ in range(2):
        claimed(queue)
        telling.tell()
        let_leases_end(redis)
        queue.reap()
        telling.tell()
        let_delays_pass(redis)

    assert shown(gitlab)[-1] == ("failed", "Build failed.")
    assert all(state in {"canceled", "failed"} for state, _ in shown(gitlab))
    assert telling.outbox.notes() == {}


@pytest.mark.parametrize("was_told", [True, False], ids=["event", "no event"])
def test_a_queue_that_is_reset_leaves_no_status_hanging(
    redis: Redis, telling: Telling, gitlab: Shown, was_told: bool
) -> None:
    submit(telling.queue, job("a"))
    telling.tell()
    telling.queue.reset()
    if not was_told:
        redis.delete("{caur}:events")
        telling.follower.consume([])
    telling.tell()

    assert shown(gitlab) == [("canceled", "Build canceled due to coordinator shutdown.")]


def test_an_end_that_was_missed_is_found(redis: Redis, telling: Telling, gitlab: Shown) -> None:
    submit(telling.queue, job("a"), job("b"))
    ended = claimed(telling.queue)
    telling.tell()
    telling.queue.finish(ended, Outcome.FAILED)
    redis.delete("{caur}:events")

    telling.follower.consume([])
    telling.send()

    assert sorted(state for state, _ in shown(gitlab)) == ["failed", "pending"]


def test_a_forge_that_is_down_for_a_day(
    redis: Redis, queue: Queue, telling: Telling, gitlab: Shown, clock: Clock
) -> None:
    gitlab.forge.faults.extend(Fault(502, body="{}") for _ in range(1000))
    submit(queue, *(job(f"p{number}") for number in range(20)))
    telling.follow()
    for _ in range(12):
        telling.send(later=7200)
    for _ in range(20):
        queue.finish(claimed(queue), Outcome.FAILED)
    tries = len(gitlab.forge.calls)
    assert tries == 12

    gitlab.forge.faults.clear()
    other = telling_of(redis, queue, gitlab, clock)
    other.follow()
    other.send(later=3600)

    assert len(gitlab.statuses) == 20
    assert {state for state, _ in shown(gitlab)} == {"failed"}
    # The first was tried again; of the others nothing but the end was sent.
    assert len(gitlab.forge.calls) == tries + 20
    assert Patience(telling.outbox).rests() == {}
    assert telling.outbox.entries() == telling.outbox.notes() == {}


def test_a_limit_is_kept_to(telling: Telling, gitlab: Shown) -> None:
    gitlab.forge.faults.append(Fault(429, body="{}", headers={"Retry-After": "300"}))
    submit(telling.queue, job("a"), job("b"))
    telling.tell()
    telling.send(later=299)
    assert len(gitlab.forge.calls) == 1

    telling.send(later=2)
    assert len(gitlab.statuses) == 2


def test_a_commit_that_is_not_there_keeps_nobody_waiting(telling: Telling, gitlab: Shown) -> None:
    gitlab.api.unknown.add(ONE)
    submit(telling.queue, job("a", commit_reference=ONE), job("b", commit_reference=OTHER))
    telling.tell()

    assert [status.commit for status in gitlab.statuses] == [OTHER]
    assert telling.outbox.size() == 0


def test_what_changes_while_it_is_sent_is_sent_again(
    redis: Redis, telling: Telling, gitlab: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(telling.queue, job("a"))
    telling.follow()
    set_status = gitlab.client.set_status

    def slowly(*arguments: object, **more: object) -> None:
        set_status(*arguments, **more)  # type: ignore[arg-type]
        monkeypatch.undo()
        claimed(telling.queue)
        telling.follow()

    monkeypatch.setattr(gitlab.client, "set_status", slowly)
    telling.send()
    assert telling.outbox.size() == 1

    telling.send()
    assert [status.states for status in gitlab.statuses] == [["pending", "running"]]


def test_old_statuses_are_given_up(telling: Telling, gitlab: Shown) -> None:
    submit(telling.queue, job("a"))
    telling.follow()
    telling.send(later=8 * DAY)

    assert gitlab.forge.calls == []
    assert telling.outbox.counts() == {"dropped": 1}


def test_what_a_later_version_has_written_keeps_nobody_waiting(
    telling: Telling, gitlab: Shown
) -> None:
    position = telling.follower.position()
    telling.outbox.write({"7": '{"state": "skipped"}', "8": "?"}, after=position, position=position)
    submit(telling.queue, job("a"))
    telling.tell()

    assert len(gitlab.statuses) == 1
    assert telling.outbox.size() == 0
