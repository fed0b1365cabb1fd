"""What is remembered of a build besides how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scheduler.job import FailureClass, JobState, Outcome, Publication, PublishedFile, Usage
from scheduler.queue import BuildNotes
from tests.support.queue import claimed, job, submit

if TYPE_CHECKING:
    from redis import Redis

    from scheduler.queue import Queue

USAGE = Usage(peak_memory=5_368_709_120, cpu_seconds=61.25)
FILE = PublishedFile(name="a", version="1:2-3", filename="a-1:2-3-any.pkg.tar.zst", size=2**33)


def test_a_failed_build_tells_what_it_took(queue: Queue) -> None:
    submit(queue, job("a"))
    claim = claimed(queue)
    notes = BuildNotes(usage=USAGE, tree="b" * 40)
    queue.finish(claim, Outcome.FAILED, "exit code 4", failure=FailureClass.COMPILE, notes=notes)

    record = queue.records([claim.job_id, 999])[claim.job_id]

    assert record.notes == notes
    assert (record.spec, record.request_id[:8]) == (claim.spec, "request-")
    assert record.view == queue.job(claim.job_id) == queue.snapshot().recent[0]
    assert record.view.usage == USAGE


def test_what_was_told_at_landing_stays_when_it_is_published(queue: Queue) -> None:
    submit(queue, job("a"))
    notes = BuildNotes(usage=USAGE, tree="b" * 40)
    claim = claimed(queue)
    assert queue.land(claim, "delivery", notes=notes) is JobState.LANDED
    (landed,) = queue.claim_landed("runner")
    publication = Publication(generation=12, files=(FILE,))
    queue.finish(landed, Outcome.SUCCESS, notes=BuildNotes(publication=publication))

    (record,) = queue.records([claim.job_id]).values()

    assert record.notes == BuildNotes(usage=USAGE, tree="b" * 40, publication=publication)


def test_workers_of_earlier_versions_tell_nothing(queue: Queue) -> None:
    submit(queue, job("a"))
    claim = claimed(queue)
    queue.finish(claim, Outcome.FAILED)
    (record,) = queue.records([claim.job_id]).values()
    assert record.notes == BuildNotes(usage=Usage())


@pytest.mark.parametrize("memory", ["many", "-5", "nan", "inf", "1e300"])
def test_what_cannot_be_read_counts_as_unknown(queue: Queue, redis: Redis, memory: str) -> None:
    submit(queue, job("a"))
    claim = claimed(queue)
    record = f"{{caur}}:job:{claim.job_id}"
    redis.hset(
        record,
        mapping={"peak_memory": memory, "cpu_seconds": "2.5", "files": "[[1]]", "spec": "{}"},
    )

    (read,) = queue.records([claim.job_id]).values()

    assert read.notes == BuildNotes(usage=Usage(cpu_seconds=2.5))
    assert read.spec is None


def test_the_jobs_that_ended_come_with_the_newest_first(queue: Queue) -> None:
    ids = submit(queue, job("a"), job("b"), job("c")).jobs
    for _ in range(2):
        queue.finish(claimed(queue), Outcome.SUCCESS)
    assert queue.ended() == [ids[1], ids[0]]


def test_ids_of_a_past_that_was_lost_do_not_come_again(queue: Queue) -> None:
    submit(queue, job("a"))
    queue.skip_ids(500)
    queue.skip_ids(20)
    assert submit(queue, job("b")).jobs == (501,)
