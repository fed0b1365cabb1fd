"""Claims: leases, fencing tokens, landing, publishing, handing back, being lost."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from scheduler.job import FailureClass, JobState, Outcome
from scheduler.queue import Queue, StaleClaimError
from tests.support.queue import build_order, claimed, job, submit, worker

if TYPE_CHECKING:
    from redis import Redis

    from scheduler.queue import Claim


def test_a_claim_names_its_holder_and_its_lease(queue: Queue) -> None:
    submit(queue, job("a"))
    me = worker()
    claim = claimed(queue, me)
    assert claim.owner == me.id
    assert 50 < claim.lease_until - time.time() < 70


def test_tokens_rise_across_all_jobs(queue: Queue) -> None:
    submit(queue, job("a"), job("b"))
    first = claimed(queue)
    second = claimed(queue)
    queue.release(first)
    assert first.token < second.token < claimed(queue).token


def test_a_renewed_lease_lasts_longer(queue: Queue, redis: Redis) -> None:
    submit(queue, job("a"))
    claim = claimed(Queue(redis, lease=5))
    renewal = queue.renew(claim)
    assert renewal.lease_until > claim.lease_until + 30
    assert renewal.cancel is False


def test_the_way_of_a_job_that_is_built_and_published(queue: Queue) -> None:
    submit(queue, job("a"))
    built = claimed(queue)
    assert queue.land(built, "delivery-1") is JobState.LANDED
    (landed,) = queue.claim_landed("runner")
    assert (landed.delivery, landed.builder) == ("delivery-1", built.owner)
    assert landed.spec == built.spec
    assert landed.attempt == built.attempt
    assert landed.token > built.token
    queue.finish(landed, Outcome.SUCCESS, "published")
    view = queue.job(built.job_id)
    assert view is not None
    assert (view.state, view.outcome, view.reason) == (JobState.DONE, Outcome.SUCCESS, "published")
    assert view.worker == built.owner


def test_landed_jobs_are_taken_all_at_once_in_order_of_landing(queue: Queue) -> None:
    submit(queue, *map(job, "abc"))
    claims = [claimed(queue) for _ in "abc"]
    for claim in reversed(claims):
        queue.land(claim, f"delivery-{claim.spec.pkgbase}")
    assert [claim.spec.pkgbase for claim in queue.claim_landed("runner")] == ["c", "b", "a"]
    assert queue.claim_landed("other") == []


def test_a_runner_takes_only_its_repositories_and_no_more_than_its_limit(queue: Queue) -> None:
    submit(queue, job("a"), job("b", target_repo="other"), job("c"), job("d"))
    for _ in "abcd":
        queue.land(claimed(queue), "delivery")
    taken = queue.claim_landed("runner", target_repos=["repo"], limit=2)
    assert [claim.spec.pkgbase for claim in taken] == ["a", "c"]
    assert [claim.spec.pkgbase for claim in queue.claim_landed("runner")] == ["b", "d"]


def _all_stale(queue: Queue, claim: Claim) -> None:
    for act in (
        lambda: queue.renew(claim),
        lambda: queue.land(claim, "stale-delivery"),
        lambda: queue.finish(claim, Outcome.FAILED),
        lambda: queue.release(claim),
    ):
        with pytest.raises(StaleClaimError):
            act()


def test_what_a_stale_builder_says_is_refused(queue: Queue, forgetful: Queue) -> None:
    submit(queue, job("a"))
    stale = claimed(forgetful)
    queue.reap()
    _all_stale(queue, stale)
    held = claimed(queue)
    _all_stale(queue, stale)
    queue.land(held, "the delivery")
    _all_stale(queue, stale)
    (landed,) = queue.claim_landed("runner")
    assert landed.delivery == "the delivery"
    _all_stale(queue, stale)
    queue.finish(landed, Outcome.SUCCESS)
    _all_stale(queue, stale)
    view = queue.job(stale.job_id)
    assert view is not None
    assert view.outcome is Outcome.SUCCESS


def test_a_builder_cannot_speak_for_the_publisher(queue: Queue) -> None:
    submit(queue, job("a"))
    built = claimed(queue)
    queue.land(built, "delivery")
    (landed,) = queue.claim_landed("runner")
    for act in (
        lambda: queue.finish(built, Outcome.SUCCESS),
        lambda: queue.renew(built),
        lambda: queue.release(built),
    ):
        with pytest.raises(StaleClaimError):
            act()
    with pytest.raises(StaleClaimError):
        queue.land(landed, "delivery")
    queue.finish(landed, Outcome.SUCCESS)


def test_what_is_said_twice_in_the_same_words_counts_once(queue: Queue) -> None:
    """The first answer may have been lost on its way."""
    submit(queue, job("a"))
    built = claimed(queue)
    assert queue.land(built, "delivery") is JobState.LANDED
    assert queue.land(built, "delivery") is JobState.LANDED
    (landed,) = queue.claim_landed("runner")
    queue.finish(landed, Outcome.SUCCESS)
    queue.finish(landed, Outcome.SUCCESS)
    with pytest.raises(StaleClaimError):
        queue.finish(landed, Outcome.FAILED)
    assert len([event for event in queue.events() if event.kind == "done"]) == 1


def test_a_lease_that_runs_out_returns_the_job_to_its_turn(queue: Queue, forgetful: Queue) -> None:
    submit(queue, job("a"), job("b"))
    lost = claimed(forgetful)
    (returned,) = queue.reap()
    assert (returned.id, returned.state) == (lost.job_id, JobState.READY)
    assert lost.owner in returned.reason
    again = claimed(queue)
    assert (again.job_id, again.attempt) == (lost.job_id, 2)


def test_a_lease_that_is_held_is_not_taken_away(queue: Queue) -> None:
    submit(queue, job("a"))
    claimed(queue)
    assert queue.reap() == []


def test_a_lost_publisher_leaves_the_delivery_to_the_next(queue: Queue, forgetful: Queue) -> None:
    submit(queue, job("a"))
    queue.land(claimed(queue), "delivery")
    (lost,) = forgetful.claim_landed("runner-1")
    (returned,) = queue.reap()
    assert returned.state is JobState.LANDED
    with pytest.raises(StaleClaimError):
        queue.finish(lost, Outcome.SUCCESS)
    (landed,) = queue.claim_landed("runner-2")
    assert landed.delivery == "delivery"
    queue.finish(landed, Outcome.SUCCESS)


def test_a_publisher_can_hand_back(queue: Queue) -> None:
    submit(queue, job("a"))
    queue.land(claimed(queue), "delivery")
    (landed,) = queue.claim_landed("runner-1")
    queue.release(landed, "shutting down")
    assert len(queue.claim_landed("runner-2")) == 1


def test_a_job_that_is_handed_back_waits_for_what_came_meanwhile(queue: Queue) -> None:
    submit(queue, job("app", "lib"))
    running = claimed(queue)
    submit(queue, job("lib"))
    queue.release(running)
    assert build_order(queue) == ["lib", "app"]


@pytest.mark.parametrize("lost", [True, False])
def test_a_job_that_comes_back_gives_way_to_its_successor(
    queue: Queue, forgetful: Queue, *, lost: bool
) -> None:
    submit(queue, job("a", commit="1" * 40))
    running = claimed(forgetful)
    submit(queue, job("a", commit="2" * 40))
    if lost:
        assert [returned.state for returned in queue.reap()] == [JobState.DONE]
    else:
        queue.release(running)
    view = queue.job(running.job_id)
    assert view is not None
    assert view.outcome is Outcome.CANCELED_REQUEUE
    assert claimed(queue).spec.commit == "2" * 40
    assert queue.claim(worker()) is None


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_ends_a_job(queue: Queue, outcome: Outcome) -> None:
    submit(queue, job("a"))
    claim = claimed(queue)
    queue.finish(claim, outcome, "so it is")
    (result,) = queue.snapshot().recent
    assert (result.outcome, result.reason) == (outcome, "so it is")
    assert queue.claim(worker()) is None


@pytest.mark.parametrize("failure", [None, *FailureClass])
def test_the_kind_of_failure_is_kept_and_told(queue: Queue, failure: FailureClass | None) -> None:
    submit(queue, job("a"))
    claim = claimed(queue)
    queue.finish(claim, Outcome.FAILED, "so it is", failure=failure)
    view = queue.job(claim.job_id)
    assert view is not None
    assert view.failure is failure
    assert queue.snapshot().recent[0].failure is failure
    assert queue.events()[-1].failure is failure


def test_the_kind_of_failure_of_a_later_version_is_unknown(queue: Queue, redis: Redis) -> None:
    submit(queue, job("a"))
    claim = claimed(queue)
    queue.finish(claim, Outcome.FAILED)
    redis.hset(f"{{caur}}:job:{claim.job_id}", "failure", "moon phase")
    assert queue.snapshot().recent[0].failure is FailureClass.UNKNOWN


def test_a_job_nobody_knows_is_none(queue: Queue) -> None:
    assert queue.job(12345) is None
