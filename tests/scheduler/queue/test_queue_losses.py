"""Builds that are lost with their workers: waiting longer each time, and quarantine at last."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

import pytest

from scheduler.job import FailureClass, JobState, OnFailure, Outcome
from scheduler.queue import Backoff, Queue, StaleClaimError
from tests.support.queue import (
    Background,
    bases,
    build_order,
    claim_all,
    claimed,
    eventually,
    job,
    let_delays_pass,
    submit,
    worker,
)

if TYPE_CHECKING:
    from redis import Redis

    from scheduler.queue import Claim

A = "repo/x86_64/a"


@pytest.fixture
def patient(redis: Redis) -> Queue:
    """A queue whose claims are lost at once, and whose lost jobs wait for long."""
    return Queue(redis, lease=0, backoff=Backoff(first=100, factor=10, longest=5000, losses=4))


def _lose(queue: Queue) -> Claim:
    claim = claimed(queue)
    assert len(queue.reap()) == 1
    return claim


def _quarantine(queue: Queue, times: int = 5) -> Claim:
    for _ in range(times):
        lost = _lose(queue)
    return lost


def test_delays_grow_up_to_the_longest() -> None:
    assert Backoff(first=10, factor=4, longest=1800, losses=5).delays() == [
        *(10, 40, 160, 640, 1800),
    ]


def test_a_lost_job_waits_longer_each_time(patient: Queue, redis: Redis) -> None:
    submit(patient, job("a"))
    for loss, delay in enumerate([100, 1000, 5000], start=1):
        claim = claimed(patient)
        (returned,) = patient.reap()
        assert (returned.state, claim.attempt) == (JobState.WAITING, loss)
        assert f"loss {loss} of 4" in returned.reason
        assert patient.claim(worker()) is None
        (view,) = patient.snapshot().delayed
        assert abs(view.delayed_until - time.time() - delay) < 60
        assert (view.state, view.lost) == (JobState.WAITING, loss)
        let_delays_pass(redis)
    assert _lose(patient).attempt == 4
    assert patient.snapshot().total_quarantine == 1


def test_its_delay_lets_others_go_but_not_those_who_depend_on_it(
    patient: Queue, queue: Queue, redis: Redis
) -> None:
    submit(queue, job("a"), job("b", "a"), job("c"))
    _lose(patient)
    assert build_order(queue) == ["c"]
    let_delays_pass(redis)
    assert build_order(queue) == ["a", "b"]


def test_its_turn_is_the_old_one_when_its_time_has_come(
    patient: Queue, queue: Queue, redis: Redis
) -> None:
    submit(queue, *map(job, "abc"))
    _lose(patient)
    let_delays_pass(redis)
    assert build_order(queue) == ["a", "b", "c"]


def test_what_is_handed_back_has_no_delay_and_no_mark(patient: Queue) -> None:
    submit(patient, job("a"))
    for _ in range(10):
        patient.release(claimed(patient), "told to stop")
    assert patient.snapshot().ready[0].lost == 0


def test_what_a_worker_cannot_build_waits_longer_each_time(patient: Queue, redis: Redis) -> None:
    submit(patient, job("a"))
    for loss, delay in enumerate([100, 1000, 5000], start=1):
        assert patient.retry_later(claimed(patient), "no network") is JobState.WAITING
        assert patient.claim(worker()) is None
        (view,) = patient.snapshot().delayed
        assert abs(view.delayed_until - time.time() - delay) < 60
        assert (view.lost, view.outcome) == (loss, None)
        assert view.reason.endswith("at last: no network")
        event = patient.events()[-1]
        assert event.kind == "returned"
        assert event.reason.startswith(f"no network; loss {loss} of 4")
        let_delays_pass(redis)
    assert patient.retry_later(claimed(patient), "no network") is JobState.DONE
    (view,) = patient.snapshot().quarantine
    assert (view.outcome, view.failure) == (Outcome.SOFTWARE_FAILURE, FailureClass.INFRASTRUCTURE)
    assert "4 times" in view.reason


def test_a_canceled_job_is_not_put_off(patient: Queue) -> None:
    submit(patient, job("a"))
    claim = claimed(patient)
    patient.cancel([A])
    assert patient.retry_later(claim, "no network") is JobState.DONE
    assert patient.snapshot().recent[0].outcome is Outcome.CANCELED
    with pytest.raises(StaleClaimError):
        patient.retry_later(claim, "no network")


def _land(queue: Queue, *names: str) -> None:
    submit(queue, *map(job, names))
    for number, _ in enumerate(names, start=1):
        queue.land(claimed(queue), f"{number}-{number}")


def test_after_a_lost_publication_each_is_published_alone(patient: Queue, redis: Redis) -> None:
    _land(patient, "a", "b", "c")
    assert bases(patient.claim_landed("runner", limit=2)) == ["a", "b"]
    assert [returned.state for returned in patient.reap()] == [JobState.LANDED] * 2

    # What is there for the first time does not wait for them.
    assert bases(patient.claim_landed("runner")) == ["c"]
    assert patient.claim_landed("runner") == []
    let_delays_pass(redis)
    assert bases(patient.claim_landed("runner")) == ["a"]
    assert bases(patient.claim_landed("runner")) == ["b"]


def test_a_lost_publication_lets_those_before_it_go_first(patient: Queue, redis: Redis) -> None:
    _land(patient, "a", "b", "c", "d")
    (a,) = patient.claim_landed("runner", limit=1)
    assert patient.retry_later(a, "it broke") is JobState.LANDED
    submit(patient, job("e"))
    patient.land(claimed(patient), "5-5")
    let_delays_pass(redis)
    assert bases(patient.claim_landed("runner", limit=2)) == ["b", "c"]
    assert bases(patient.claim_landed("runner")) == ["d", "e"]
    assert bases(patient.claim_landed("runner")) == ["a"]


def test_a_backup_keeps_how_often_a_publication_was_lost(patient: Queue, redis: Redis) -> None:
    _land(patient, "a", "b")
    for claim in patient.claim_landed("runner"):
        patient.retry_later(claim, "it broke")
    documents = list(patient.backup())
    patient.reset()
    patient.restore(documents)
    assert patient.claim_landed("runner") == []
    let_delays_pass(redis)
    assert bases(patient.claim_landed("runner")) == ["a"]


def test_a_publication_that_is_lost_too_often_ends_in_quarantine(
    patient: Queue, redis: Redis
) -> None:
    _land(patient, "a")
    for _ in range(3):
        assert bases(patient.claim_landed("runner")) == ["a"]
        (returned,) = patient.reap()
        assert returned.state is JobState.LANDED
        let_delays_pass(redis)
    (claim,) = patient.claim_landed("runner")
    assert patient.retry_later(claim, "it broke") is JobState.DONE
    assert patient.claim_landed("runner") == []
    (view,) = patient.snapshot().quarantine
    assert view.outcome is Outcome.SOFTWARE_FAILURE
    assert view.reason == "not published in 4 times that it was tried; at last: it broke"
    assert redis.scard("{caur}:publishing") == 0


def test_what_a_runner_hands_back_says_why_and_has_no_mark(patient: Queue) -> None:
    _land(patient, "a", "b")
    for _ in range(10):
        claims = patient.claim_landed("runner")
        assert sorted(bases(claims)) == ["a", "b"]
        for claim in claims:
            patient.release(claim, "the disk is full")
    job_id = claims[0].job_id
    view = patient.job(job_id)
    assert view is not None
    assert view.reason == "the disk is full"
    patient.claim_landed("runner")
    view = patient.job(job_id)
    assert view is not None
    assert view.reason == ""


@pytest.mark.parametrize(
    "spec", ["{", "[]", "{}", '{"pkgbase": 1}', "[" * 100_000, '{"arch": "x86_64"}']
)
def test_a_landed_job_whose_record_is_broken_is_ended(
    queue: Queue, redis: Redis, spec: str
) -> None:
    _land(queue, "a", "b")
    (broken, _) = cast("list[bytes]", redis.lrange("{caur}:landed", 0, -1))
    redis.hset(f"{{caur}}:job:{int(broken)}", "spec", spec)

    assert bases(queue.claim_landed("runner")) == ["b"]

    view = queue.job(int(broken))
    assert view is not None
    assert (view.outcome, view.failure) == (Outcome.SOFTWARE_FAILURE, FailureClass.INFRASTRUCTURE)
    assert "cannot be used" in view.reason


def test_a_delay_ends_for_a_waiting_worker_too(
    queue: Queue, redis: Redis, hints_only: None
) -> None:
    soon = Queue(redis, lease=0, backoff=Backoff(first=0.3))
    submit(queue, job("a"))
    _lose(soon)
    task = Background(lambda: queue.claim(worker(), wait=30))
    assert task.result(within=20).spec.pkgbase == "a"


def test_a_delayed_job_still_waits_for_what_came_meanwhile(
    patient: Queue, queue: Queue, redis: Redis
) -> None:
    submit(queue, job("app", "lib"))
    _lose(patient)
    submit(queue, job("lib"))
    let_delays_pass(redis)
    assert build_order(queue) == ["lib", "app"]


def test_new_content_is_tried_at_once(patient: Queue) -> None:
    submit(patient, job("a"))
    _lose(patient)
    submit(patient, job("a", commit="2" * 40))
    assert claimed(patient).spec.commit == "2" * 40


def test_promotion_does_not_shorten_the_delay(patient: Queue, queue: Queue, redis: Redis) -> None:
    submit(queue, *map(job, "ab"))
    _lose(patient)
    queue.promote([A])
    assert [claim.spec.pkgbase for claim in claim_all(queue)] == ["b"]
    let_delays_pass(redis)
    assert [claim.spec.pkgbase for claim in claim_all(queue)] == ["a"]


def test_the_fifth_loss_leads_to_quarantine_visibly(queue: Queue, forgetful: Queue) -> None:
    submit(queue, job("a"), job("b", "a"), job("c", "a", on_failure=OnFailure.HOLD))
    lost = _quarantine(forgetful)
    (view,) = queue.snapshot().quarantine
    assert (view.job_id, view.state, view.outcome) == (
        *(lost.job_id, JobState.DONE, Outcome.SOFTWARE_FAILURE),
    )
    assert view.quarantined
    assert "5 times" in view.reason
    assert lost.owner in view.reason
    assert [event.kind for event in queue.events() if event.job_id == lost.job_id][-2:] == [
        *("done", "quarantined"),
    ]
    assert build_order(queue) == ["b"]
    assert [view.identity[-1] for view in queue.snapshot().held] == ["c"]


def test_what_is_in_quarantine_is_not_forgotten(
    queue: Queue, forgetful: Queue, redis: Redis
) -> None:
    submit(queue, job("a"))
    lost = _quarantine(forgetful)
    assert redis.ttl(f"{{caur}}:job:{lost.job_id}") == -1
    queue.cancel([lost.job_id])
    assert redis.ttl(f"{{caur}}:job:{lost.job_id}") > 0
    assert queue.snapshot().total_quarantine == 0


def test_a_retry_takes_it_out_with_a_clean_record(queue: Queue, forgetful: Queue) -> None:
    submit(queue, job("a"))
    lost = _quarantine(forgetful)
    assert [answer.done for answer in queue.retry([A])] == [True]
    assert queue.snapshot().total_quarantine == 0
    again = claimed(queue)
    assert (again.spec, again.attempt) == (lost.spec, 1)


def test_its_identity_is_free_and_a_newer_job_forbids_the_retry(
    queue: Queue, forgetful: Queue
) -> None:
    submit(queue, job("a"))
    _quarantine(forgetful)
    submit(queue, job("a", commit="2" * 40))
    (answer,) = queue.retry([A])
    assert (answer.done, queue.snapshot().total_quarantine) == (False, 1)
    queue.finish(claimed(queue), Outcome.SUCCESS)
    # What was built since makes up for it.
    assert queue.snapshot().total_quarantine == 0


def test_a_newer_one_of_the_package_takes_its_place(queue: Queue, forgetful: Queue) -> None:
    submit(queue, job("a"))
    _quarantine(forgetful)
    submit(queue, job("a"))
    second = _quarantine(forgetful)
    assert [view.job_id for view in queue.snapshot().quarantine] == [second.job_id]


def test_a_job_for_which_a_newer_one_waits_is_not_put_into_quarantine(
    queue: Queue, forgetful: Queue
) -> None:
    submit(queue, job("a"))
    for _ in range(4):
        _lose(forgetful)
    claimed(forgetful)
    submit(queue, job("a"))
    queue.reap()
    assert queue.snapshot().total_quarantine == 0
    assert build_order(queue) == ["a"]


def test_many_leases_that_run_out_at_once_are_all_taken_back(
    queue: Queue, forgetful: Queue
) -> None:
    submit(queue, *(job(f"p{number}") for number in range(250)))
    claim_all(forgetful)
    eventually(lambda: not queue.reap())
    assert queue.snapshot(limit=1).total_ready == 250
