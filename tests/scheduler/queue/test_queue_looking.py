"""Finding jobs, and why they are not being built."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import InputError
from scheduler.job import JobState, OnFailure, Outcome, Removal
from scheduler.queue import Backoff, Queue
from tests.support.queue import claimed, job, submit, worker

if TYPE_CHECKING:
    from redis import Redis

    from scheduler.queue import Explanation

A = "repo/x86_64/a"


def _explain(queue: Queue, base: str) -> Explanation:
    explanation = queue.explain(f"repo/x86_64/{base}")
    assert explanation is not None
    return explanation


class TestFinding:
    def test_a_package_by_all_forms_of_its_name(self, queue: Queue) -> None:
        (job_id,) = submit(queue, job("a")).jobs
        for reference in ("a", "repo/a", A, str(job_id)):
            assert [view.job_id for view in queue.find(reference)] == [job_id], reference
        assert {queue.resolve(reference) for reference in ("a", "repo/a", A)} == {A}
        assert queue.resolve(str(job_id)) == job_id

    def test_pending_running_and_ended_ones(self, queue: Queue) -> None:
        submit(queue, job("a"))
        running = claimed(queue)
        (waiting,) = submit(queue, job("a")).jobs
        assert {view.job_id for view in queue.find("a")} == {running.job_id, waiting}
        queue.finish(running, Outcome.FAILED, "exit code 4")
        assert [view.job_id for view in queue.find("a")] == [waiting]
        queue.cancel([waiting])
        (view,) = queue.find("a")
        assert (view.job_id, view.outcome) == (waiting, Outcome.CANCELED)

    def test_several_packages_of_one_name(self, queue: Queue) -> None:
        submit(queue, job("a"), job("a", target_repo="other"), job("a", arch="aarch64"))
        assert len(queue.find("a")) == 3
        assert len(queue.find("repo/a")) == 2
        with pytest.raises(InputError) as raised:
            queue.resolve("a")
        for identity in (A, "repo/aarch64/a", "other/x86_64/a"):
            assert identity in raised.value.message
        assert queue.resolve("other/a") == "other/x86_64/a"

    def test_a_number_may_be_a_job_or_a_package(self, queue: Queue) -> None:
        (job_id,) = submit(queue, job("a")).jobs
        submit(queue, job(str(job_id)))
        assert len(queue.find(str(job_id))) == 2
        with pytest.raises(InputError, match=f"job {job_id}"):
            queue.resolve(str(job_id))
        assert queue.resolve(f"repo/{job_id}") == f"repo/x86_64/{job_id}"

    @pytest.mark.parametrize("reference", ["nothing", "other/a", "repo/aarch64/a", "99999"])
    def test_what_nobody_knows(self, queue: Queue, reference: str) -> None:
        submit(queue, job("a"))
        assert queue.find(reference) == ()
        with pytest.raises(InputError, match=reference):
            queue.resolve(reference)

    def test_what_is_forgotten_while_it_is_looked_for_is_left_out(
        self, queue: Queue, redis: Redis
    ) -> None:
        submit(queue, job("a"), job("b"))
        kept, gone = (
            queue.submit(base, [], [Removal(target_repo="repo", remove=(base,))]).removals[0]
            for base in ("kept", "gone")
        )
        redis.delete(f"{{caur}}:removal:{gone}", f"{{caur}}:job:{queue.find('b')[0].job_id}")
        assert [view.removal_id for view in queue.removals()] == [kept]
        assert queue.find("b") == ()
        assert len(queue.find("a")) == 1

    def test_what_a_job_is_to_build(self, queue: Queue) -> None:
        spec = job("a", "lib", reason="because", on_failure=OnFailure.HOLD)
        (job_id,) = submit(queue, spec).jobs
        assert queue.spec(job_id) == spec
        assert queue.spec(12345) is None


class TestExplaining:
    def test_nothing_is_known(self, queue: Queue) -> None:
        assert queue.explain(A) is None
        assert queue.explain(12345) is None

    def test_it_is_ready_and_others_go_first(self, queue: Queue) -> None:
        queue.claim(worker())
        submit(queue, job("x"), job("y"), job("a"))
        explanation = _explain(queue, "a")
        assert explanation.ahead == 2
        assert len(explanation.able) == 1
        assert "2 ready jobs" in explanation.reasons[0]
        queue.promote([A])
        assert _explain(queue, "a").ahead == 0
        assert _explain(queue, "x").ahead == 1

    @pytest.mark.parametrize(
        ("build_class", "words"), [("7", "a worker of class 7"), ("cat", "the worker cat")]
    )
    def test_no_worker_may_build_it(self, queue: Queue, build_class: str, words: str) -> None:
        queue.claim(worker())
        submit(queue, job("a", build_class=build_class))
        explanation = _explain(queue, "a")
        assert explanation.able == ()
        assert words in explanation.reasons[0]

    def test_a_worker_that_is_to_end_does_not_count(self, queue: Queue) -> None:
        queue.claim(worker())
        queue.drain()
        submit(queue, job("a"))
        assert "waits for a worker" in _explain(queue, "a").reasons[0]

    def test_the_queue_is_paused(self, queue: Queue) -> None:
        submit(queue, job("a"))
        queue.pause("new disk")
        explanation = _explain(queue, "a")
        assert explanation.paused is not None
        assert explanation.reasons == ("the queue is paused: new disk",)

    def test_it_is_being_built(self, queue: Queue) -> None:
        (job_id,) = submit(queue, job("a")).jobs
        claim = claimed(queue)
        for target in (A, job_id):
            explanation = queue.explain(target)
            assert explanation is not None
            assert explanation.running is not None
            assert explanation.running.job_id == job_id
            assert claim.owner in explanation.reasons[0]

    def test_it_waits_and_what_it_waits_for_waits_too(self, queue: Queue) -> None:
        submit(queue, job("base", build_class="9"), job("lib", "base", provides=("lib.so",)))
        submit(queue, job("a", "lib.so"), job("unrelated"))
        explanation = _explain(queue, "a")
        assert [
            (blocker.job.identity[12:], blocker.name, blocker.job.state)
            for blocker in explanation.blockers
        ] == [("lib", "lib.so", JobState.WAITING), ("base", "base", JobState.READY)]
        assert explanation.blockers[0].waiter == explanation.pending.job_id  # type: ignore[union-attr]
        assert explanation.blockers[1].waiter == explanation.blockers[0].job.job_id
        assert "repo/x86_64/lib (waiting)" in explanation.reasons[0]

    def test_it_waits_for_its_own_running_job(self, queue: Queue) -> None:
        submit(queue, job("a"))
        claimed(queue)
        submit(queue, job("a"))
        explanation = _explain(queue, "a")
        assert [blocker.name for blocker in explanation.blockers] == [""]
        assert any("its own earlier build" in reason for reason in explanation.reasons)

    def test_it_is_held_or_waits_for_one_that_is(self, queue: Queue) -> None:
        submit(queue, job("lib"), job("a", "lib", on_failure=OnFailure.HOLD), job("b", "a"))
        queue.finish(claimed(queue), Outcome.FAILED)
        assert "lib, which failed" in _explain(queue, "a").reasons[0]
        assert any("a is held" in reason for reason in _explain(queue, "b").reasons)

    def test_it_was_lost(self, queue: Queue, redis: Redis) -> None:
        submit(queue, job("a"))
        claimed(Queue(redis, lease=0))
        Queue(redis, backoff=Backoff(first=500)).reap()
        (reason, *_) = _explain(queue, "a").reasons
        assert "not handed out before" in reason

    def test_it_has_ended(self, queue: Queue) -> None:
        submit(queue, job("a"))
        queue.finish(claimed(queue), Outcome.FAILED, "exit code 4")
        explanation = _explain(queue, "a")
        assert explanation.last is not None
        assert "failed, exit code 4" in explanation.reasons[0]

    def test_it_is_in_quarantine(self, queue: Queue, forgetful: Queue) -> None:
        submit(queue, job("a"))
        for _ in range(5):
            claimed(forgetful)
            queue.reap()
        assert any("quarantine" in reason for reason in _explain(queue, "a").reasons)

    def test_many_blockers_are_cut(self, queue: Queue) -> None:
        submit(queue, job("a", *(f"p{number}" for number in range(300))))
        submit(queue, *(job(f"p{number}") for number in range(300)))
        explanation = _explain(queue, "a")
        assert (len(explanation.blockers), explanation.more_blockers) == (200, True)

    def test_a_cycle_is_no_endless_story(self, queue: Queue) -> None:
        submit(queue, job("a", "c"), job("b", "c"), job("c", "b"))
        assert {blocker.job.identity[12:] for blocker in _explain(queue, "a").blockers} == {
            *("b", "c"),
        }


class TestRepositories:
    def test_without_any_that_are_known_every_job_is_taken(self, queue: Queue) -> None:
        assert len(submit(queue, job("a", target_repo="anything")).jobs) == 1

    def test_jobs_for_unknown_ones_are_refused_one_by_one(self, queue: Queue) -> None:
        queue.register(targets=["repo", "repo-testing"])
        queue.register(sources=["source"])
        submission = submit(
            queue,
            job("a"),
            job("b", target_repo="typo"),
            job("c", source_repo="elsewhere"),
            job("d", target_repo="repo-testing"),
        )
        assert len(submission.jobs) == 2
        assert [
            (refusal.identity, refusal.reason.split()[-1]) for refusal in submission.refused
        ] == [
            ("typo/x86_64/b", "typo"),
            ("repo/x86_64/c", "elsewhere"),
        ]

    def test_a_removal_needs_no_known_repository(self, queue: Queue) -> None:
        queue.register(targets=["repo"])
        assert set(queue.repositories().targets) == {"repo"}

    def test_what_was_not_named_for_long_is_forgotten(self, queue: Queue, redis: Redis) -> None:
        queue.register(targets=["old"], sources=["old"])
        redis.hset("{caur}:targets", "old", 1)
        queue.register(targets=["repo"])
        known = queue.repositories()
        assert (set(known.targets), set(known.sources)) == ({"repo"}, {"old"})

    def test_a_bad_name_is_an_error(self, queue: Queue) -> None:
        with pytest.raises(InputError):
            queue.register(targets=["a/b"])
