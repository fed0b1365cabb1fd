"""What a job does when something it depends on ends without success."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from scheduler.job import JobState, OnFailure, OnRunning, Outcome, Removal
from tests.support.queue import build_order, claimed, job, submit, worker

if TYPE_CHECKING:
    from scheduler.queue import Queue

LIB, APP = "repo/x86_64/lib", "repo/x86_64/app"
TROUBLES = (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.CANCELED, Outcome.SOFTWARE_FAILURE)

holding = partial(job, on_failure=OnFailure.HOLD)


def _held(queue: Queue) -> list[str]:
    snapshot = queue.snapshot()
    assert len(snapshot.held) == snapshot.total_held
    return [view.identity.rpartition("/")[2] for view in snapshot.held]


@pytest.fixture
def held(queue: Queue) -> Queue:
    """The queue after `lib` failed, with `app` held for it."""
    submit(queue, job("lib"), holding("app", "lib"))
    queue.finish(claimed(queue), Outcome.FAILED, "exit code 4")
    return queue


@pytest.mark.parametrize("outcome", TROUBLES)
def test_a_job_that_holds_waits_and_says_for_whom(queue: Queue, outcome: Outcome) -> None:
    submit(queue, job("lib"), holding("app", "lib"), job("other", "lib"))
    queue.finish(claimed(queue), outcome)
    assert build_order(queue) == ["other"]
    (view,) = queue.snapshot().held
    assert (view.identity, view.state, view.held_by) == (APP, JobState.WAITING, (LIB,))
    assert LIB in view.reason
    (event,) = [event for event in queue.events() if event.kind == "held"]
    assert (event.identity, event.state) == (APP, JobState.WAITING)
    assert LIB in event.reason


@pytest.mark.parametrize("outcome", sorted(set(Outcome) - set(TROUBLES)))
def test_what_is_no_failure_holds_nobody(queue: Queue, outcome: Outcome) -> None:
    submit(queue, job("lib"), holding("app", "lib"))
    queue.finish(claimed(queue), outcome)
    assert build_order(queue) == ["app"]


def test_a_dependency_that_is_canceled_while_it_waits_holds_too(queue: Queue) -> None:
    submit(queue, job("lib"), holding("app", "lib"))
    queue.cancel([LIB])
    assert (_held(queue), build_order(queue)) == (["app"], [])


def test_a_dependency_that_is_removed_holds_too(queue: Queue) -> None:
    submit(queue, job("lib"), holding("app", "lib"))
    queue.submit("remove", [], [Removal(target_repo="repo", remove=("lib",))])
    assert _held(queue) == ["app"]


def test_those_who_depend_on_a_held_job_wait_for_it(held: Queue) -> None:
    submit(held, job("top", "app"))
    assert build_order(held) == []
    held.proceed([APP])
    assert build_order(held) == ["app", "top"]


def test_a_later_success_lets_it_go(held: Queue) -> None:
    submit(held, job("lib"))
    assert build_order(held) == ["lib", "app"]


def test_a_retry_of_the_failed_one_leads_there(held: Queue) -> None:
    held.retry([LIB])
    assert build_order(held) == ["lib", "app"]
    assert held.snapshot().total_held == 0


def test_a_later_failure_does_not(held: Queue) -> None:
    held.retry([LIB])
    held.finish(claimed(held), Outcome.FAILED)
    assert (_held(held), build_order(held)) == (["app"], [])


def test_all_that_failed_have_to_succeed(queue: Queue) -> None:
    submit(queue, job("a"), job("b"), holding("app", "a", "b"))
    for _ in "ab":
        queue.finish(claimed(queue), Outcome.FAILED)
    (view,) = queue.snapshot().held
    assert view.held_by == ("repo/x86_64/a", "repo/x86_64/b")
    queue.retry(["repo/x86_64/a"])
    assert build_order(queue) == ["a"]
    assert _held(queue) == ["app"]
    queue.retry(["repo/x86_64/b"])
    assert build_order(queue) == ["b", "app"]


def test_it_can_be_told_to_go_on_without(held: Queue) -> None:
    (answer,) = held.proceed([APP])
    assert answer.done
    assert build_order(held) == ["app"]
    (event,) = [event for event in held.events() if event.kind == "ready"]
    assert LIB in event.reason


def test_only_a_held_job_can_be_told_so(held: Queue) -> None:
    submit(held, job("other"))
    answers = held.proceed([LIB, "repo/x86_64/other", "repo/x86_64/nobody"])
    assert [answer.done for answer in answers] == [False, False, False]


def test_promotion_does_not_let_it_go(held: Queue) -> None:
    submit(held, job("other"))
    held.promote([APP])
    assert build_order(held) == ["other"]
    held.proceed([APP])
    assert build_order(held) == ["app"]


def test_what_would_let_it_go_is_promoted_with_it(queue: Queue) -> None:
    submit(queue, job("lib", provides=("v",)), holding("app", "v"))
    queue.finish(claimed(queue), Outcome.FAILED)
    submit(queue, job("other"), job("lib"))
    queue.promote([APP])
    assert build_order(queue) == ["lib", "app", "other"]


def test_a_held_job_can_be_canceled(held: Queue) -> None:
    held.cancel([APP])
    assert _held(held) == []
    held.retry([LIB])
    assert build_order(held) == ["lib"]


def test_a_newer_request_may_change_the_policy(held: Queue) -> None:
    submit(held, job("app", "lib"))
    assert build_order(held) == ["app"]


def test_a_newer_request_may_not_depend_on_it_any_more(held: Queue) -> None:
    submit(held, holding("app", "glibc"))
    assert build_order(held) == ["app"]


def test_a_newer_request_that_still_depends_on_it_is_held(held: Queue) -> None:
    submit(held, holding("app", "glibc", "lib", commit="2" * 40))
    assert _held(held) == ["app"]


def test_a_newer_request_may_begin_to_hold(queue: Queue) -> None:
    submit(queue, job("lib"), job("slow"), job("app", "lib", "slow"))
    queue.finish(claimed(queue), Outcome.FAILED)
    submit(queue, holding("app", "lib", "slow"))
    assert build_order(queue) == ["slow"]
    assert _held(queue) == ["app"]


def test_only_failures_after_it_came_matter(queue: Queue) -> None:
    submit(queue, job("lib"))
    queue.finish(claimed(queue), Outcome.FAILED)
    submit(queue, holding("app", "lib"))
    assert build_order(queue) == ["app"]


def test_a_running_job_is_held_once_it_is_handed_back(queue: Queue) -> None:
    submit(queue, holding("app", "lib"))
    running = claimed(queue)
    submit(queue, job("lib"))
    queue.finish(claimed(queue), Outcome.FAILED)
    assert _held(queue) == []
    queue.release(running)
    assert _held(queue) == ["app"]


def test_provided_names_and_split_packages_count(queue: Queue) -> None:
    submit(
        queue,
        job("lib", pkgnames=("lib", "lib-tools"), provides=("lib.so",)),
        holding("a", "lib.so"),
        holding("b", "lib-tools", "lib"),
    )
    queue.finish(claimed(queue), Outcome.FAILED)
    assert _held(queue) == ["a", "b"]
    queue.retry([LIB])
    assert build_order(queue) == ["lib", "a", "b"]


def test_who_goes_first_in_a_cycle_is_not_held_for_the_others(queue: Queue) -> None:
    submit(queue, holding("a", "b"), holding("b", "a"))
    queue.finish(claimed(queue), Outcome.FAILED)
    assert _held(queue) == ["b"]
    queue.retry(["repo/x86_64/a"])
    # `b` is the older one now: it goes first, and that lets go what it was held for.
    assert build_order(queue) == ["b", "a"]


def test_a_hold_that_closes_a_cycle_is_broken(queue: Queue) -> None:
    """`app` is held for `lib`, whose next job provides nothing `app` wants, but waits for it."""
    submit(queue, job("lib", provides=("v",)), holding("app", "v"))
    running = claimed(queue)
    submit(queue, job("lib", "app"))
    queue.finish(running, Outcome.FAILED)
    assert sorted(build_order(queue)) == ["app", "lib"]


def test_a_hold_that_closes_a_cycle_later_is_broken(queue: Queue) -> None:
    submit(queue, job("lib", provides=("v",)), holding("app", "v"))
    queue.finish(claimed(queue), Outcome.FAILED)
    submit(queue, job("mid", "app"), job("lib", "mid"))
    assert sorted(build_order(queue)) == ["app", "lib", "mid"]


def test_a_hold_and_the_next_job_that_waits_for_who_is_held_are_no_deadlock(queue: Queue) -> None:
    submit(queue, job("lib", provides=("v",)), holding("app", "v"))
    queue.finish(claimed(queue), Outcome.FAILED)
    submit(queue, job("lib", "app"))
    assert sorted(build_order(queue)) == ["app", "lib"]


def test_a_cycle_closed_in_the_step_that_cancels_a_build_is_broken(queue: Queue) -> None:
    submit(queue, job("lib"))
    queue.land(claimed(queue), "delivery")
    submit(queue, job("lib"), job("app", "lib", "new"))
    queue.submit("request", [job("lib"), job("new", "app")], on_running=OnRunning.CANCEL)
    assert sorted(build_order(queue)) == ["app", "lib", "new"]


def test_a_failure_of_the_successor_of_a_canceled_build_holds(queue: Queue) -> None:
    submit(queue, job("lib"), holding("app", "lib"))
    running = claimed(queue)
    submit(queue, job("lib"))
    queue.finish(running, Outcome.CANCELED)
    assert queue.claim(worker("other", 1)) is not None
    assert _held(queue) == ["app"]


def test_a_proceeding_job_forgets_a_failure_that_was_made_good(queue: Queue) -> None:
    submit(queue, job("lib"), job("slow"), job("app", "lib", "slow"))
    queue.finish(claimed(queue), Outcome.FAILED)
    queue.retry([LIB])
    assert build_order(queue) == ["slow", "lib", "app"]
    assert [event.reason for event in queue.events() if event.kind == "claimed"][-1] == ""
