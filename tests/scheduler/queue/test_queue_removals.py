"""Removals, and their order among the jobs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import InputError
from scheduler.job import JobState, Outcome, Removal
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
    assert (done.kind, done.state, done.outcome) == ("removal", JobState.DONE, Outcome.SUCCESS)
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
    assert (returned.id, returned.state) == (claim.removal_id, JobState.WAITING)
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
    assert (view.state, view.outcome) == (JobState.DONE, Outcome.CANCELED)
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
    assert queue.land(claim, "delivery") is JobState.DONE
    assert queue.land(claim, "delivery") is JobState.DONE
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
    assert [returned.state for returned in queue.reap()] == [JobState.DONE]
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
    (claim,) = queue.claim_removals("runner")
    queue.finish_removal(claim, removed=["a"])
    assert build_order(queue) == ["b", "c", "d"]


def test_a_list_that_is_not_carried_out_cancels_nothing(queue: Queue) -> None:
    submit(queue, job("a"), job("b"))
    queue.submit("keep", [], [Removal(target_repo="repo", keep=("b",))])
    (claim,) = queue.claim_removals("runner")
    queue.finish_removal(claim, error="refused")
    assert build_order(queue) == ["a", "b"]


def test_what_was_asked_for_after_a_list_of_those_to_keep_is_built(queue: Queue) -> None:
    (old,) = submit(queue, job("a")).jobs
    queue.submit("keep", [], [Removal(target_repo="repo", keep=("b",))])
    assert submit(queue, job("a", "b")).replaced == (old,)
    documents = list(queue.backup())
    queue.reset()
    queue.restore(documents)
    (claim,) = queue.claim_removals("runner")
    queue.finish_removal(claim)
    assert build_order(queue) == ["a"]


class TestHeldRemovals:
    """Removals that a runner keeps back until they are confirmed."""

    @staticmethod
    def _held(queue: Queue, *going: str, keep: tuple[str, ...] = ("a",)) -> int:
        removal = Removal(target_repo="repo", keep=keep)
        queue.submit(f"keep-{time.monotonic_ns()}", [], [removal])
        (claim,) = queue.claim_removals("runner")
        queue.hold_removal(claim, "too many", remove=going)
        queue.hold_removal(claim, "too many", remove=going)
        return claim.removal_id

    def test_they_hold_up_nothing_and_are_seen(self, queue: Queue) -> None:
        number = self._held(queue, "b", "c")
        submit(queue, job("x"))
        queue.land(claimed(queue), "delivery")

        assert queue.claim_removals("runner") == []
        assert len(queue.claim_landed("runner")) == 1
        (view,) = queue.removals()
        assert (view.removal_id, view.scope, view.held) == (number, "repo/x86_64", True)
        assert view.reason == "too many"
        assert view.removal == Removal(target_repo="repo", remove=("b", "c"), confirmed=True)
        assert [event.reason for event in queue.events()][2] == "too many"

    def test_confirmed_they_come_before_what_was_asked_for_later(self, queue: Queue) -> None:
        number = self._held(queue, "b", "c")
        submit(queue, job("b"))
        queue.land(claimed(queue), "delivery")
        assert queue.confirm_removals("other", "x86_64") == []
        assert queue.confirm_removals("repo", "x86_64") == [number]

        assert queue.claim_landed("runner") == []
        (claim,) = queue.claim_removals("runner")
        assert claim.removal.remove == ("b", "c")
        assert claim.removal.confirmed
        queue.finish_removal(claim, removed=["b", "c"])
        assert len(queue.claim_landed("runner")) == 1
        assert queue.removals() == ()

    def test_dismissed_they_are_gone(self, queue: Queue) -> None:
        number = self._held(queue, "b")
        assert queue.dismiss_removals("repo", "x86_64") == [number]
        assert queue.removals() == ()
        assert queue.confirm_removals("repo", "x86_64") == []

    def test_only_the_newest_list_of_those_to_keep_is_held(self, queue: Queue) -> None:
        self._held(queue, "b")
        newer = self._held(queue, "c")
        assert [view.removal_id for view in queue.removals()] == [newer]

    def test_a_stale_runner_holds_nothing_back(self, queue: Queue) -> None:
        queue.submit("remove", [], [_remove("a")])
        (claim,) = queue.claim_removals("runner")
        queue.release(claim)
        with pytest.raises(StaleClaimError):
            queue.hold_removal(claim, "too many", remove=["a"])
        assert not any(view.held for view in queue.removals())

    def test_they_survive_a_backup_and_not_a_reset(self, queue: Queue) -> None:
        self._held(queue, "b", "c")
        before, documents = queue.removals(), list(queue.backup())
        queue.reset()
        assert queue.removals() == ()
        queue.restore(documents)
        assert queue.removals() == before
        assert len(queue.confirm_removals("repo", "x86_64")) == 1


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


def test_a_removal_at_which_every_runner_ends_is_given_up(redis: Redis, queue: Queue) -> None:
    hasty = Queue(redis, lease=0)
    queue.submit("remove", [], [_remove("a")])
    for _ in range(4):
        assert len(hasty.claim_removals("runner")) == 1
        assert [returned.state for returned in queue.reap()] == [JobState.WAITING]
    assert len(hasty.claim_removals("runner")) == 1
    assert [returned.state for returned in queue.reap()] == [JobState.DONE]
    assert queue.claim_removals("runner") == []
    assert queue.events()[-1].outcome is Outcome.SOFTWARE_FAILURE


def test_a_removal_whose_record_is_broken_is_ended(redis: Redis, queue: Queue) -> None:
    first, second = queue.submit("remove", [], [_remove("a"), _remove("b")]).removals
    redis.hset(f"{{caur}}:removal:{first}", "body", "{")

    assert [claim.removal_id for claim in queue.claim_removals("runner")] == [second]

    done = queue.events()[-1]
    assert (done.job_id, done.outcome) == (first, Outcome.SOFTWARE_FAILURE)
    assert "cannot be used" in done.reason
