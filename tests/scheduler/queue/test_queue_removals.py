"""Removals, and their order among the jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import InputError
from scheduler.job import Outcome, Removal, State
from scheduler.queue import Queue, StaleClaimError
from tests.support.queue import build_order, claimed, job, submit, worker

if TYPE_CHECKING:
    from redis import Redis


def _remove(*bases: str, target_repo: str = "repo") -> Removal:
    return Removal(target_repo=target_repo, remove=bases)


def test_a_removal_comes_out_as_it_went_in_and_is_done_once(queue: Queue) -> None:
    removal = _remove("a", "lib++")
    submission = queue.submit("remove", [], [removal])
    (claim,) = queue.claim_removals("runner")
    assert claim.removal == removal
    assert submission.removals == (claim.removal_id,)
    assert queue.claim_removals("other") == []
    queue.finish_removal(claim, removed=["a"])
    queue.finish_removal(claim, removed=["a"])
    assert queue.claim_removals("runner") == []
    done = queue.events()[-1]
    assert (done.kind, done.state, done.outcome) == ("removal", State.DONE, Outcome.SUCCESS)
    assert done.reason == "removed a"


def test_a_failed_removal_says_why(queue: Queue) -> None:
    queue.submit("remove", [], [_remove("a")])
    (claim,) = queue.claim_removals("runner")
    queue.finish_removal(claim, error="repo-remove ended with exit code 1")
    done = queue.events()[-1]
    assert (done.outcome, done.reason) == (Outcome.FAILED, "repo-remove ended with exit code 1")


def test_a_removal_is_renewed_handed_back_and_lost_like_a_job(queue: Queue, redis: Redis) -> None:
    queue.submit("remove", [], [_remove("a")])
    (claim,) = queue.claim_removals("runner")
    queue.renew(claim)
    queue.release(claim, "shutting down")
    with pytest.raises(StaleClaimError):
        queue.renew(claim)
    (lost,) = Queue(redis, lease=0).claim_removals("runner")
    (returned,) = queue.reap()
    assert (returned.id, returned.state) == (claim.removal_id, State.WAITING)
    with pytest.raises(StaleClaimError):
        queue.finish_removal(lost)
    (again,) = queue.claim_removals("runner")
    assert again.attempt == 3
    queue.finish_removal(again)


def test_a_runner_takes_only_removals_of_its_repositories(queue: Queue) -> None:
    queue.submit("remove", [], [_remove("a", target_repo="other"), _remove("b")])
    (claim,) = queue.claim_removals("runner", target_repos=["repo"])
    assert claim.removal.remove == ("b",)


@pytest.mark.parametrize(
    "removal",
    [
        Removal(target_repo="repo"),
        Removal(target_repo="repo", remove=("a",), keep=("b",)),
        Removal(target_repo="repo", remove=("../a",)),
        Removal(target_repo="a/b", remove=("a",)),
    ],
)
def test_a_removal_that_makes_no_sense_is_an_error_and_nothing_is_taken(
    queue: Queue, removal: Removal
) -> None:
    with pytest.raises(InputError):
        queue.submit("bad", [job("a")], [removal])
    assert queue.submit("bad", [job("a")]).known is False


def test_a_removal_cancels_the_pending_job_of_the_package(queue: Queue) -> None:
    jobs = submit(queue, job("a"), job("b", "a")).jobs
    submission = queue.submit("remove", [], [_remove("a")])
    assert submission.canceled == jobs[:1]
    view = queue.job(jobs[0])
    assert view is not None
    assert (view.state, view.outcome) == (State.DONE, Outcome.CANCELED)
    assert build_order(queue) == ["b"]


def test_a_removal_asks_the_holder_of_a_running_job_to_stop(queue: Queue) -> None:
    submit(queue, job("a"))
    claim = claimed(queue)
    queue.submit("remove", [], [_remove("a")])
    assert queue.renew(claim).cancel is True
    queue.finish(claim, Outcome.CANCELED)


def test_a_build_that_was_to_be_canceled_does_not_land(queue: Queue) -> None:
    submit(queue, job("a"))
    claim = claimed(queue)
    queue.submit("remove", [], [_remove("a")])
    assert queue.land(claim, "delivery") is State.DONE
    assert queue.land(claim, "delivery") is State.DONE
    view = queue.job(claim.job_id)
    assert view is not None
    assert view.outcome is Outcome.CANCELED


def test_a_canceled_build_that_is_lost_or_handed_back_is_not_built_again(
    queue: Queue, redis: Redis
) -> None:
    submit(queue, job("a"), job("b"))
    first, second = claimed(queue), claimed(Queue(redis, lease=0))
    queue.submit("remove", [], [_remove("a", "b")])
    queue.release(first)
    assert [returned.state for returned in queue.reap()] == [State.DONE]
    assert queue.claim(worker()) is None
    assert {second.job_id, first.job_id} == {job.job_id for job in queue.snapshot().recent}


def test_a_landed_job_of_a_removed_package_is_not_published(queue: Queue) -> None:
    submit(queue, job("a"))
    queue.land(claimed(queue), "delivery")
    queue.submit("remove", [], [_remove("a")])
    (claim,) = queue.claim_removals("runner")
    queue.finish_removal(claim)
    assert queue.claim_landed("runner") == []


def test_keeping_some_cancels_the_jobs_of_all_others_in_that_repository(queue: Queue) -> None:
    submit(queue, job("a"), job("b"), job("c", target_repo="other"), job("d", arch="aarch64"))
    queue.submit("keep", [], [Removal(target_repo="repo", keep=("b",))])
    assert build_order(queue) == ["b", "c", "d"]


def test_the_removals_of_a_request_come_before_its_jobs(queue: Queue) -> None:
    queue.submit("swap", [job("a")], [_remove("a")])
    assert build_order(queue) == ["a"]


def test_a_package_added_again_is_published_after_its_removal(queue: Queue) -> None:
    queue.submit("remove", [], [_remove("a")])
    submit(queue, job("a"))
    queue.land(claimed(queue), "delivery")
    assert queue.claim_landed("runner") == []
    (removal,) = queue.claim_removals("runner")
    assert queue.claim_landed("runner") == []
    queue.finish_removal(removal)
    assert len(queue.claim_landed("runner")) == 1


def test_a_removal_waits_for_what_is_being_published(queue: Queue) -> None:
    submit(queue, job("a"))
    queue.land(claimed(queue), "delivery")
    (publishing,) = queue.claim_landed("runner-1")
    queue.submit("remove", [], [_remove("a")])
    assert queue.claim_removals("runner-2") == []
    queue.finish(publishing, Outcome.SUCCESS)
    assert len(queue.claim_removals("runner-2")) == 1


def test_a_removal_holds_back_only_its_own_repository(queue: Queue) -> None:
    queue.submit("remove", [], [_remove("a")])
    submit(queue, job("x", target_repo="other"), job("y", arch="aarch64"))
    for _ in "xy":
        queue.land(claimed(queue), "delivery")
    assert len(queue.claim_landed("runner")) == 2
