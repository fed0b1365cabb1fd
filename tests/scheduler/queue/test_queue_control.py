"""What operators do: cancel, retry, promote, pause, drain, reset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import InputError
from scheduler.job import JobState, OnRunning, Outcome, Removal
from scheduler.queue import PROTOCOL, DrainedError, JobResult, ProtocolError, StaleClaimError
from tests.support.queue import (
    Background,
    bases,
    build_order,
    claim_all,
    claimed,
    eventually,
    job,
    submit,
    worker,
)

if TYPE_CHECKING:
    from redis import Redis

    from scheduler.queue import Claim, JobReference, JobView, Queue

A, B, C = (f"repo/x86_64/{base}" for base in "abc")


def _view(queue: Queue, job_id: int) -> JobView:
    view = queue.job(job_id)
    assert view is not None
    return view


class TestCancel:
    @pytest.mark.parametrize("by_id", [True, False])
    def test_a_pending_job_ends_at_once(self, queue: Queue, *, by_id: bool) -> None:
        (job_id, _) = submit(queue, job("a"), job("b", "a")).jobs
        target: JobReference = job_id if by_id else A
        (answer,) = queue.cancel([target], reason="not now")
        assert (answer.target, answer.done, answer.job_id, answer.identity) == (
            *(target, True, job_id, A),
        )
        view = _view(queue, job_id)
        assert (view.outcome, view.reason) == (Outcome.CANCELED, "not now")
        assert build_order(queue) == ["b"]

    def test_the_holder_of_a_running_job_is_asked_to_stop_once(self, queue: Queue) -> None:
        submit(queue, job("a"))
        running = claimed(queue)
        assert [answer.done for answer in queue.cancel([A])] == [True]
        assert [answer.done for answer in queue.cancel([A])] == [False]
        assert queue.renew(running).cancel is True
        assert _view(queue, running.job_id).cancel is True
        assert queue.land(running, "delivery") is JobState.DONE
        assert queue.claim_landed("runner") == []

    def test_a_landed_job_is_not_published(self, queue: Queue) -> None:
        submit(queue, job("a"))
        built = claimed(queue)
        queue.land(built, "delivery")
        assert [answer.done for answer in queue.cancel([built.job_id])] == [True]
        assert queue.claim_landed("runner") == []
        assert _view(queue, built.job_id).delivery == "delivery"

    def test_of_a_package_the_running_and_the_waiting_job_end(self, queue: Queue) -> None:
        submit(queue, job("a"))
        running = claimed(queue)
        (waiting,) = submit(queue, job("a")).jobs
        assert {answer.job_id for answer in queue.cancel([A])} == {running.job_id, waiting}
        queue.release(running)
        assert queue.claim(worker()) is None

    def test_a_job_by_its_id_ends_alone(self, queue: Queue) -> None:
        submit(queue, job("a"))
        running = claimed(queue)
        (waiting,) = submit(queue, job("a")).jobs
        queue.cancel([waiting])
        assert queue.renew(running).cancel is False

    def test_what_has_ended_or_never_was_is_told(self, queue: Queue) -> None:
        submit(queue, job("a"))
        build_order(queue)
        answers = queue.cancel([A, "repo/x86_64/nothing", 12345])
        assert [answer.done for answer in answers] == [False, False, False]
        assert [bool(answer.job_id) for answer in answers] == [True, False, False]
        assert all(answer.reason for answer in answers)

    def test_many_are_answered_in_their_order(self, queue: Queue) -> None:
        submit(queue, *map(job, "abc"))
        assert [answer.identity for answer in queue.cancel([C, A])] == [C, A]
        assert queue.cancel([]) == []
        assert build_order(queue) == ["b"]


class TestOnRunning:
    def test_a_running_job_is_asked_to_end_for_the_new_one(self, queue: Queue) -> None:
        submit(queue, job("a", commit="1" * 40))
        running = claimed(queue)
        done = queue.submit("new", [job("a", commit="2" * 40)], on_running=OnRunning.CANCEL)
        assert done.canceled == (running.job_id,)
        assert done.successors == done.jobs
        assert queue.renew(running).cancel is True
        queue.finish(running, Outcome.CANCELED)
        assert claimed(queue).spec.commit == "2" * 40

    def test_a_landed_job_makes_room_at_once(self, queue: Queue) -> None:
        submit(queue, job("a"))
        queue.land(claimed(queue), "delivery")
        done = queue.submit("new", [job("a")], on_running=OnRunning.CANCEL)
        assert done.successors == ()
        assert queue.claim_landed("runner") == []
        assert build_order(queue) == ["a"]

    def test_others_are_left_alone(self, queue: Queue) -> None:
        submit(queue, job("a"), job("b"))
        first, second = claimed(queue), claimed(queue)
        queue.submit("new", [job("a")], on_running=OnRunning.CANCEL)
        assert (queue.renew(first).cancel, queue.renew(second).cancel) == (True, False)

    def test_a_canceled_running_job_that_is_lost_does_not_come_back(
        self, queue: Queue, forgetful: Queue
    ) -> None:
        submit(queue, job("a"))
        running = claimed(forgetful)
        (new,) = queue.submit("new", [job("a")], on_running=OnRunning.CANCEL).jobs
        queue.reap()
        assert _view(queue, running.job_id).outcome is Outcome.CANCELED
        assert [claim.job_id for claim in claim_all(queue)] == [new]


class TestRetry:
    @pytest.mark.parametrize("by_id", [True, False])
    @pytest.mark.parametrize("outcome", list(Outcome))
    def test_whatever_ended_is_submitted_again_as_a_new_job(
        self, queue: Queue, outcome: Outcome, *, by_id: bool
    ) -> None:
        submit(queue, job("a", commit="1" * 40))
        former = claimed(queue)
        queue.finish(former, outcome)
        (answer,) = queue.retry([former.job_id if by_id else A])
        again = claimed(queue)
        assert (answer.done, answer.job_id) == (True, again.job_id)
        assert (again.spec, again.attempt) == (former.spec, 1)
        assert again.job_id > former.job_id
        assert _view(queue, former.job_id).outcome is outcome

    def test_it_takes_its_place_among_the_others_at_the_end(self, queue: Queue) -> None:
        submit(queue, job("a"), job("b", "a"), job("c"))
        queue.finish(claimed(queue), Outcome.FAILED)
        queue.retry([A])
        # It blocks what depends on it, like any other job.
        assert build_order(queue) == ["c", "a", "b"]

    def test_it_is_refused_where_a_newer_job_is_there(self, queue: Queue) -> None:
        (first,) = submit(queue, job("a")).jobs
        queue.finish(claimed(queue), Outcome.FAILED)
        (second,) = submit(queue, job("a")).jobs
        for state in ("pending", "running", "ended"):
            (answer,) = queue.retry([first])
            assert answer.done is False, state
            assert str(second) in answer.reason
            if state == "pending":
                running = claimed(queue)
            elif state == "running":
                queue.finish(running, Outcome.FAILED)
        assert [answer.done for answer in queue.retry([second])] == [True]

    def test_what_ended_before_a_newer_one_is_not_newer_than_it(self, queue: Queue) -> None:
        submit(queue, job("a", commit="1" * 40))
        running = claimed(queue)
        (newer,) = submit(queue, job("a", commit="2" * 40)).jobs
        queue.cancel([newer])
        queue.finish(running, Outcome.FAILED)
        assert [answer.done for answer in queue.retry([running.job_id])] == [False]
        assert [answer.done for answer in queue.retry([A])] == [True]
        assert claimed(queue).spec.commit == "2" * 40

    def test_what_has_not_ended_or_is_unknown_is_refused(self, queue: Queue) -> None:
        (pending, _) = submit(queue, job("a"), job("b")).jobs
        claimed(queue)
        answers = queue.retry([pending, B, "repo/x86_64/c", 12345])
        assert [answer.done for answer in answers] == [False] * 4
        assert all(answer.reason for answer in answers)
        assert len(claim_all(queue)) == 1

    def test_the_event_names_the_former_job(self, queue: Queue) -> None:
        submit(queue, job("a"))
        former = claimed(queue)
        queue.finish(former, Outcome.FAILED)
        queue.retry([A])
        event = queue.events()[-1]
        assert (event.kind, event.state) == ("retried", JobState.READY)
        assert str(former.job_id) in event.reason


class TestPromote:
    def test_promoted_jobs_go_first_in_order_of_promotion(self, queue: Queue) -> None:
        submit(queue, *map(job, "abcdef"))
        queue.promote(["repo/x86_64/e"])
        queue.promote([C, B])
        assert bases(claim_all(queue)) == ["e", "c", "b", "a", "d", "f"]

    def test_they_go_first_across_classes(self, queue: Queue) -> None:
        submit(queue, job("a", build_class="1"), job("b", build_class="2"))
        submit(queue, job("c", build_class="big"))
        queue.promote([C])
        queue.promote([B])
        assert bases(claim_all(queue, worker("big", 2))) == ["c", "b", "a"]

    def test_what_a_promoted_job_waits_for_is_promoted_with_it(self, queue: Queue) -> None:
        submit(queue, job("x"), job("y"), job("c", "b"), job("b", "a"), job("a"))
        answers = queue.promote([C])
        assert [answer.identity[-1] for answer in answers] == ["b", "a", "c"]
        assert {answer.target for answer in answers} == {C}
        assert build_order(queue) == ["a", "b", "c", "x", "y"]

    def test_it_does_not_go_before_what_it_depends_on(self, queue: Queue) -> None:
        submit(queue, job("lib"), job("app", "lib"))
        running = claimed(queue)
        queue.promote(["repo/x86_64/app"])
        assert queue.claim(worker()) is None
        queue.finish(running, Outcome.SUCCESS)
        assert build_order(queue) == ["app"]

    def test_it_stays_promoted_when_it_is_handed_back_or_replaced(self, queue: Queue) -> None:
        submit(queue, *map(job, "abc"))
        queue.promote([C])
        queue.release(claimed(queue))
        submit(queue, job("c", commit="2" * 40, build_class="2"))
        queue.release(claimed(queue))
        assert bases(claim_all(queue)) == ["c", "a", "b"]

    def test_its_next_job_is_not_promoted(self, queue: Queue) -> None:
        submit(queue, *map(job, "abc"))
        queue.promote([C])
        queue.finish(claimed(queue), Outcome.SUCCESS)
        submit(queue, job("c"))
        assert bases(claim_all(queue)) == ["a", "b", "c"]

    def test_what_does_not_wait_cannot_be_promoted(self, queue: Queue) -> None:
        submit(queue, job("a"), job("b"))
        claimed(queue)
        queue.promote([B])
        answers = queue.promote([A, B, C])
        assert [answer.done for answer in answers] == [False, False, False]

    def test_it_is_shown_and_told(self, queue: Queue) -> None:
        (_, second) = submit(queue, job("a"), job("b")).jobs
        queue.promote([second])
        snapshot = queue.snapshot()
        assert [(view.identity, view.promoted) for view in snapshot.ready] == [
            (B, True),
            (A, False),
        ]
        assert queue.events()[-1].kind == "promoted"

    def test_many_promoted_at_once_keep_their_order(self, queue: Queue) -> None:
        names = [f"p{number:02}" for number in range(40)]
        submit(queue, *map(job, names))
        wanted = names[::-3]
        queue.promote([f"repo/x86_64/{name}" for name in wanted])
        assert build_order(queue) == wanted + [name for name in names if name not in wanted]


class TestPause:
    def test_nothing_is_handed_out_until_it_ends(self, queue: Queue) -> None:
        submit(queue, job("a"))
        assert (queue.pause("maintenance"), queue.pause()) == (True, False)
        assert queue.claim(worker()) is None
        snapshot = queue.snapshot()
        assert snapshot.paused is not None
        assert snapshot.paused.reason == "maintenance"
        assert "maintenance" in snapshot.ready[0].reason
        assert (queue.resume(), queue.resume()) == (True, False)
        assert build_order(queue) == ["a"]

    def test_what_is_built_goes_on_and_is_published(self, queue: Queue) -> None:
        submit(queue, job("a"))
        running = claimed(queue)
        queue.pause()
        queue.renew(running)
        queue.land(running, "delivery")
        (landed,) = queue.claim_landed("runner")
        queue.finish(landed, Outcome.SUCCESS)

    @pytest.mark.usefixtures("hints_only")
    def test_its_end_wakes_whoever_waits(self, queue: Queue, redis: Redis) -> None:
        submit(queue, job("a"))
        queue.pause()
        me = worker()
        task = Background(lambda: queue.claim(me, wait=30))
        eventually(lambda: bool(redis.hexists("{caur}:idle_until", me.id)))
        queue.resume()
        assert task.result().spec.pkgbase == "a"


class TestDrain:
    def test_a_worker_ends_after_the_job_in_hand(self, queue: Queue) -> None:
        submit(queue, job("a"), job("b"))
        me = worker("me")
        running = claimed(queue, me)
        assert queue.drain(["me"]) == [me.id]
        assert [view.draining for view in queue.snapshot().workers] == [True]
        assert queue.renew(running).cancel is False
        queue.finish(running, Outcome.SUCCESS)
        with pytest.raises(DrainedError):
            queue.claim(me)
        assert queue.snapshot().workers == ()
        assert build_order(queue, worker("me")) == ["b"]

    @pytest.mark.usefixtures("hints_only")
    def test_one_that_waits_is_told_at_once(self, queue: Queue, redis: Redis) -> None:
        me = worker()
        task = Background(lambda: queue.claim(me, wait=30))
        eventually(lambda: bool(redis.hexists("{caur}:idle_until", me.id)))
        queue.drain([me.id])
        with pytest.raises(DrainedError):
            task.result()

    def test_all_that_are_known_can_be_meant(self, queue: Queue) -> None:
        first, second = worker("first"), worker("second")
        queue.claim(first)
        queue.claim(second)
        queue.claim_landed("runner")
        assert queue.drain() == sorted([first.id, second.id, "runner"])
        assert queue.drain() == []
        with pytest.raises(DrainedError):
            queue.claim_landed("runner")

    def test_it_can_be_undone(self, queue: Queue) -> None:
        me = worker("me")
        queue.claim(me)
        queue.drain()
        assert queue.drain(["me"], undo=True) == [me.id]
        assert queue.claim(me) is None
        assert queue.drain(["nobody"]) == []
        assert queue.drain([]) == []

    def test_who_leaves_is_not_shown_any_more(self, queue: Queue) -> None:
        me = worker()
        queue.claim(me)
        queue.leave(me.id)
        assert queue.snapshot().workers == ()


def _all_stale(queue: Queue, claim: Claim) -> None:
    for act in (
        lambda: queue.renew(claim),
        lambda: queue.land(claim, "delivery"),
        lambda: queue.finish(claim, Outcome.SUCCESS),
        lambda: queue.release(claim),
    ):
        with pytest.raises(StaleClaimError):
            act()


class TestReset:
    def test_everything_that_was_to_be_done_is_forgotten(self, queue: Queue, redis: Redis) -> None:
        submit(queue, job("a"), job("b", "a"), job("c", "x", build_class="cat"), job("d"))
        submit(queue, job("x", "c"), job("ended"))
        queue.finish(claimed(queue), Outcome.FAILED)
        claimed(queue)
        queue.promote([B])
        queue.pause()
        queue.submit("removal", [], [Removal(target_repo="repo", remove=("z",))])
        queue.drain()
        assert queue.reset() == 5
        snapshot = queue.snapshot()
        assert not any((snapshot.workers, snapshot.active, snapshot.ready, snapshot.recent))
        assert not any((snapshot.waiting, snapshot.paused, snapshot.total_removals))
        assert queue.find("a") == ()
        left = {key.decode().split(":")[1] for key in redis.scan_iter()}
        assert left <= {"sequence", "token", "events", "control", "hint"}
        assert queue.events()[-1].kind == "reset"

    def test_claims_from_before_are_stale_even_when_ids_come_back(self, queue: Queue) -> None:
        submit(queue, job("a"))
        claim = claimed(queue)
        backup = list(queue.backup())
        queue.reset()
        _all_stale(queue, claim)
        queue.restore(backup)
        _all_stale(queue, claim)
        again = claimed(queue)
        assert again.job_id == claim.job_id
        assert again.token > claim.token
        _all_stale(queue, claim)

    @pytest.mark.usefixtures("hints_only")
    def test_who_waits_goes_on_waiting(self, queue: Queue, redis: Redis) -> None:
        me = worker()
        task = Background(lambda: queue.claim(me, wait=30))
        eventually(lambda: bool(redis.hexists("{caur}:idle_until", me.id)))
        queue.reset()
        eventually(lambda: bool(redis.hexists("{caur}:idle_until", me.id)))
        submit(queue, job("a"))
        assert task.result().spec.pkgbase == "a"

    def test_requests_are_taken_anew(self, queue: Queue) -> None:
        queue.submit("again", [job("a")])
        queue.reset()
        assert queue.submit("again", [job("a")]).known is False


class TestProtocol:
    def test_the_first_to_come_says_which_it_is(self, queue: Queue, redis: Redis) -> None:
        submit(queue, job("a"))
        assert redis.hget("{caur}:control", "protocol") == str(PROTOCOL).encode()

    @pytest.mark.parametrize(
        ("theirs", "hint"), [(PROTOCOL + 1, "Update this program"), (PROTOCOL - 3, "used by")]
    )
    def test_another_one_gets_nothing_and_is_told(
        self, queue: Queue, redis: Redis, theirs: int, hint: str
    ) -> None:
        submit(queue, job("a"))
        running = claimed(queue)
        submit(queue, job("b"))
        redis.hset("{caur}:control", "protocol", theirs)
        for act in (
            lambda: queue.claim(worker()),
            lambda: queue.claim_landed("runner"),
            lambda: queue.claim_removals("runner"),
            lambda: queue.submit("request", [job("c")]),
            lambda: queue.retry([A]),
            lambda: queue.restore([]),
        ):
            with pytest.raises(ProtocolError, match=f"protocol {theirs}") as raised:
                act()
            assert hint in raised.value.hint
        # Who holds something may still bring it to an end.
        queue.finish(running, Outcome.SUCCESS)
        assert queue.snapshot().total_ready == 1


class TestManyAtOnce:
    def test_all_end_but_those_that_are_lost(self, queue: Queue) -> None:
        submit(queue, job("lib"), job("app", "lib"), job("other"), job("lost"), job("old"))
        *rest, lost, old = claim_all(queue)
        queue.release(lost)
        queue.finish(old, Outcome.SUCCESS)
        outcomes = (Outcome.FAILED, Outcome.SUCCESS)
        results = [JobResult(*pair, "because") for pair in zip(rest, outcomes, strict=True)]
        results += [JobResult(lost, Outcome.SUCCESS), JobResult(old, Outcome.FAILED)]
        assert queue.finish_all(results) == [lost, old]
        assert queue.finish_all(results) == [lost, old]
        for result in results[:2]:
            view = _view(queue, result.claim.job_id)
            assert (view.outcome, view.reason) == (result.outcome, "because")
        assert claimed(queue).spec.pkgbase == "app"
        assert queue.finish_all([]) == []

    def test_all_are_renewed_but_those_that_are_lost(self, queue: Queue) -> None:
        submit(queue, *map(job, "abc"))
        kept, canceled, lost = claim_all(queue)
        queue.release(lost)
        queue.cancel([canceled.identity])
        renewals = queue.renew_all([kept, canceled, lost])
        assert [renewal and renewal.cancel for renewal in renewals] == [False, True, None]
        assert renewals[0] is not None
        assert renewals[0].lease_until >= kept.lease_until

    def test_more_than_are_done_in_one_step(self, queue: Queue) -> None:
        submit(queue, *(job(f"p{number}") for number in range(300)))
        claims = claim_all(queue)
        assert len(claims) == 300
        assert None not in queue.renew_all(claims)
        assert queue.finish_all([JobResult(claim, Outcome.SUCCESS) for claim in claims]) == []
        assert queue.snapshot().total_active == 0


@pytest.mark.parametrize("reference", ["a/b/c/d", "", "../a", "repo/x86 64/a", "-x"])
def test_what_can_be_no_package_is_an_error(queue: Queue, reference: str) -> None:
    with pytest.raises(InputError):
        queue.find(reference)
