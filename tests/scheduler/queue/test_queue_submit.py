"""What goes into the queue, and what identity means."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from caur_ci.errors import InputError
from scheduler.job import JobState, Outcome
from tests.support.queue import COMMIT, build_order, claimed, job, submit, worker
from tests.support.servers import on_one_server

if TYPE_CHECKING:
    from redis import Redis

    from scheduler.queue import Queue


def test_a_submitted_job_comes_out_as_it_went_in(queue: Queue) -> None:
    spec = job(
        "libfoo++",
        "bar",
        "libc.so",
        pkgnames=("libfoo++", "libfoo-docs"),
        provides=("libfoo.so",),
        build_class="2",
        arch_mirror="https://mirror.example.org",
        commit_reference=f"{COMMIT}:17",
        reason="ein Grund mit Ümläuten",
    )
    submission = submit(queue, spec)
    claim = claimed(queue)
    assert claim.spec == spec
    assert submission.jobs == (claim.job_id,)
    assert claim.attempt == 1
    assert claim.delivery == ""


def test_an_empty_request_is_taken_and_remembered(queue: Queue) -> None:
    assert queue.submit("nothing", []).known is False
    assert queue.submit("nothing", []).known is True


def test_a_request_id_that_was_seen_before_does_nothing(queue: Queue) -> None:
    first = queue.submit("again", [job("a")])
    queue.finish(claimed(queue), Outcome.SUCCESS)
    second = queue.submit("again", [job("a")])
    assert (first.known, second.known) == (False, True)
    assert second.jobs == ()
    assert queue.claim(worker()) is None


def test_a_request_id_is_kept_for_ninety_days_from_when_it_was_last_seen(
    queue: Queue, redis: Redis
) -> None:
    day = 24 * 3600 * 1000
    now = time.time() * 1000
    for request_id, days_ago in (("old", 91), ("kept", 89)):
        queue.submit(request_id, [])
        redis.zadd("{caur}:requests", {request_id: now - days_ago * day})
    queue.submit("another", [])
    assert queue.submit("kept", [job("a")]).known is True
    assert queue.submit("old", [job("a")]).known is False
    seen = redis.zscore("{caur}:requests", "kept")
    assert seen is not None
    assert seen > now - day


def test_a_newer_request_replaces_a_pending_job_and_keeps_its_turn(queue: Queue) -> None:
    first = submit(queue, job("a", commit="1" * 40), job("b"))
    second = submit(queue, job("a", commit="2" * 40))
    assert second.jobs == second.replaced == first.jobs[:1]
    claim = claimed(queue)
    assert (claim.spec.pkgbase, claim.spec.commit) == ("a", "2" * 40)
    assert build_order(queue) == ["b"]


def test_a_replaced_job_may_change_its_class_and_its_dependencies(queue: Queue) -> None:
    submit(queue, job("a"), job("b"))
    submit(queue, job("a", "b", build_class="5"))
    assert build_order(queue, worker(build_class=4)) == ["b"]
    assert build_order(queue, worker(build_class=5)) == ["a"]


@pytest.mark.parametrize("promoted", [True, False])
def test_who_might_build_a_job_before_it_was_replaced_does_not_get_it(
    queue: Queue, *, promoted: bool
) -> None:
    submit(queue, job("a", build_class="1"))
    if promoted:
        queue.promote(["repo/x86_64/a"])
    submit(queue, job("a", build_class="9"))
    assert build_order(queue, worker(build_class=1)) == []
    submit(queue, job("a", build_class="1"))
    assert build_order(queue, worker(build_class=1)) == ["a"]
    assert build_order(queue, worker(build_class=9)) == []


def test_a_replaced_job_no_longer_blocks_by_what_it_no_longer_provides(queue: Queue) -> None:
    submit(queue, job("a", build_class="9", provides=("virtual",)), job("b", "virtual"))
    assert build_order(queue) == []
    submit(queue, job("a", build_class="9"))
    assert build_order(queue) == ["b"]


def test_a_request_for_a_running_job_waits_as_its_successor(queue: Queue) -> None:
    submit(queue, job("a", commit="1" * 40))
    running = claimed(queue)
    second = submit(queue, job("a", commit="2" * 40))
    assert second.successors == second.jobs
    assert second.jobs[0] != running.job_id
    assert queue.claim(worker()) is None
    queue.finish(running, Outcome.FAILED)
    assert claimed(queue).spec.commit == "2" * 40


def test_a_landed_job_still_counts_as_running(queue: Queue) -> None:
    submit(queue, job("a"))
    queue.land(claimed(queue), "delivery")
    submit(queue, job("a"))
    assert queue.claim(worker()) is None
    (landed,) = queue.claim_landed("runner")
    assert queue.claim(worker()) is None
    queue.finish(landed, Outcome.SUCCESS)
    assert build_order(queue) == ["a"]


def test_a_successor_is_replaced_by_a_still_newer_request(queue: Queue) -> None:
    submit(queue, job("a", commit="1" * 40))
    running = claimed(queue)
    successor = submit(queue, job("a", commit="2" * 40))
    newest = submit(queue, job("a", commit="3" * 40))
    assert newest.jobs == newest.replaced == successor.jobs
    queue.finish(running, Outcome.SUCCESS)
    assert claimed(queue).spec.commit == "3" * 40


def test_of_several_jobs_for_one_identity_the_last_counts(queue: Queue) -> None:
    submission = submit(queue, job("a", commit="1" * 40), job("b"), job("a", commit="2" * 40))
    assert len(submission.jobs) == 2
    claim = claimed(queue)
    assert (claim.spec.pkgbase, claim.spec.commit) == ("a", "2" * 40)


def test_repository_and_architecture_are_part_of_the_identity(queue: Queue) -> None:
    submission = submit(
        queue, job("a"), job("a", target_repo="other"), job("a", arch="aarch64"), job("a")
    )
    assert len(submission.jobs) == 3
    assert submission.replaced == ()


def test_class_zero_is_class_one(queue: Queue) -> None:
    submit(queue, job("a", build_class="0"))
    assert claimed(queue, worker(build_class=1)).spec.build_class == "1"


@pytest.mark.parametrize(
    "fields",
    [
        {"pkgbase": "../evil"},
        {"pkgbase": "a b"},
        {"target_repo": "a/b"},
        {"target_repo": ""},
        {"source_repo": "-x"},
        {"arch": "x86 64"},
        {"commit": "--upload-pack=evil"},
        {"commit": ""},
        {"build_class": "-1"},
        {"build_class": "10000"},
        {"build_class": ""},
        {"pkgnames": ("linux", "a\nb")},
        {"depends": ("a\nb",)},
        {"depends": ("a>=1",)},
        {"provides": ("",)},
        {"reason": "long" * 100_000},
    ],
)
def test_a_bad_job_is_refused_and_the_good_ones_are_taken(
    queue: Queue, fields: dict[str, Any]
) -> None:
    submission = submit(queue, job("good"), replace(job("bad"), **fields), job("fine"))
    assert len(submission.jobs) == 2
    (refusal,) = submission.refused
    assert refusal.reason
    assert build_order(queue) == ["good", "fine"]


@pytest.mark.parametrize("request_id", ["", "a b", "a\n", "*", "x" * 200])
def test_a_bad_request_id_is_an_error(queue: Queue, request_id: str) -> None:
    with pytest.raises(InputError):
        queue.submit(request_id, [job("a")])


def test_names_that_look_like_patterns_are_only_names(queue: Queue) -> None:
    submit(queue, job("gtk+", provides=("lib%d[a-z].so",)), job("b", "lib%d[a-z].so"))
    assert build_order(queue) == ["gtk+", "b"]


@on_one_server
def test_a_large_batch_is_one_step(queue: Queue) -> None:
    jobs = [job(f"p{number}", f"p{number - 1}") for number in range(1, 5001)]
    submission = queue.submit("large", jobs)
    assert len(submission.jobs) == 5000
    snapshot = queue.snapshot(limit=1)
    assert (snapshot.total_ready, snapshot.total_waiting) == (1, 4999)
    assert snapshot.ready[0].state is JobState.READY
