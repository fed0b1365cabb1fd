"""Every job that has ended gets into the history, once, whatever is killed or lost."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import TemporaryError
from scheduler.following import Follower
from scheduler.history import FormerPublication, History, HistoryRecorder, PublishedFile, Usage
from scheduler.job import FailureClass, Outcome, Publication
from scheduler.queue import BuildNotes
from tests.support.past import START
from tests.support.queue import COMMIT, claimed, job, submit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from redis import Redis

    from scheduler.queue import Claim, Event, Queue

REFERENCE = f"{COMMIT}:12"
FILE = PublishedFile(name="a", version="1-1", filename="a-1-1-any.pkg.tar.zst", size=100)


@pytest.fixture
def recorder(queue: Queue, history: History) -> HistoryRecorder:
    return HistoryRecorder(queue, history)


def follow(queue: Queue, recorder: HistoryRecorder) -> None:
    follower = Follower(queue, recorder, threading.Event())
    while follower.step():
        pass


def fail(queue: Queue, name: str = "a") -> Claim:
    submit(queue, job(name))
    claim = claimed(queue)
    queue.finish(claim, Outcome.FAILED, "exit code 4", failure=FailureClass.COMPILE)
    return claim


def publish(queue: Queue, name: str = "a") -> Claim:
    submit(queue, job(name, commit_reference=REFERENCE, reason="it was asked for"))
    claim = claimed(queue)
    usage = Usage(peak_memory=1000, cpu_seconds=2.5)
    queue.land(claim, f"delivery-{name}", notes=BuildNotes(usage=usage, tree="b" * 40))
    (landed,) = queue.claim_landed("runner")
    publication = Publication(generation=7, files=(FILE,))
    queue.finish(landed, Outcome.SUCCESS, "a remark", notes=BuildNotes(publication=publication))
    return claim


def test_a_job_is_recorded_with_what_was_built_and_published(
    queue: Queue, history: History, recorder: HistoryRecorder
) -> None:
    claim = publish(queue)
    follow(queue, recorder)

    past, view = history.job(claim.job_id), queue.job(claim.job_id)

    assert past is not None
    assert view is not None
    assert (past.identity, past.commit, past.source_repo) == (
        claim.identity,
        claim.spec.commit,
        "source",
    )
    assert (past.outcome, past.reason, past.worker) == (
        Outcome.SUCCESS,
        "a remark",
        claim.owner,
    )
    assert (past.generation, past.files) == ("7", (FILE,))
    assert (past.usage, past.tree) == (Usage(peak_memory=1000, cpu_seconds=2.5), "b" * 40)
    assert (past.submitted, past.started, past.landed, past.finished) == (
        view.submitted,
        view.started,
        view.landed,
        view.finished,
    )
    assert past.request_id.startswith("request-")
    assert past.commit_reference == REFERENCE


def test_a_job_that_the_queue_forgot_is_what_the_event_tells(
    queue: Queue, redis: Redis, history: History, recorder: HistoryRecorder
) -> None:
    claim = fail(queue)
    redis.delete(f"{{caur}}:job:{claim.job_id}")
    follow(queue, recorder)
    past = history.job(claim.job_id)
    assert past is not None
    assert (past.identity, past.commit) == (claim.identity, "")
    assert (past.outcome, past.failure, past.attempt) == (Outcome.FAILED, FailureClass.COMPILE, 1)
    assert past.finished >= past.started > 0


def test_what_the_events_lost_is_filled_from_the_queue(
    queue: Queue, redis: Redis, history: History, recorder: HistoryRecorder
) -> None:
    first = fail(queue)
    follow(queue, recorder)
    lost = [fail(queue, f"lost{number}") for number in range(3)]
    redis.xtrim("{caur}:events", maxlen=0)
    last = fail(queue, "last")

    follow(queue, HistoryRecorder(queue, history))

    wanted = [claim.job_id for claim in (last, *reversed(lost), first)]
    assert [past.job_id for past in history.latest()] == wanted


class _Dying(History):
    """Ends at a write, as if it was killed there."""

    left = 0

    def record(self, *arguments: object, **memory: str) -> None:  # type: ignore[override]
        if type(self).left == 0:
            raise KeyboardInterrupt
        type(self).left -= 1
        super().record(*arguments, **memory)  # type: ignore[arg-type]


@pytest.mark.parametrize("step", range(3))
def test_whoever_is_killed_at_any_write_loses_and_doubles_nothing(
    queue: Queue, history: History, step: int
) -> None:
    claims = [fail(queue, f"p{number}") for number in range(3)]
    history.close()
    _Dying.left = step
    with _Dying.open(history.path) as dying:
        recorder = HistoryRecorder(queue, dying, published=lambda: [former("z")])
        with pytest.raises(KeyboardInterrupt):
            follow(queue, recorder)

    with History.open(history.path) as again:
        follow(queue, HistoryRecorder(queue, again, published=lambda: [former("z")]))
        assert [past.job_id for past in again.latest()] == [
            *(claim.job_id for claim in reversed(claims)),
            -1,
        ]


def test_events_come_again_where_the_history_fails(
    queue: Queue, history: History, recorder: HistoryRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow(queue, recorder)
    claim = fail(queue)
    with monkeypatch.context() as patch:
        patch.setattr(history, "record", _fail)
        with pytest.raises(TemporaryError):
            recorder.consume(queue.events(recorder.position()))
    assert history.latest() == []
    follow(queue, recorder)
    assert [past.job_id for past in history.latest()] == [claim.job_id]


def _fail(jobs: Sequence[object], **memory: str) -> None:
    raise TemporaryError("the disk is full")


def former(pkgbase: str, **fields: object) -> FormerPublication:
    filename = f"{pkgbase}-1-1-any.pkg.tar.zst"
    file = PublishedFile(name=pkgbase, version="1-1", filename=filename, size=100)
    values: dict[str, object] = {"finished": START, "files": (file,), **fields}
    return FormerPublication(
        target_repo="repo",
        arch="x86_64",
        pkgbase=pkgbase,
        source_repo="source",
        **values,  # type: ignore[arg-type]
    )


def test_a_new_history_has_what_is_published(queue: Queue, history: History) -> None:
    publish(queue)
    found = [former("late", finished=START + 9, generation="3"), former("early"), former("a")]
    recorder = HistoryRecorder(queue, history, published=lambda: found)

    follow(queue, recorder)
    follow(queue, recorder)

    # What the queue knows is not doubled.
    assert [(past.job_id, past.pkgbase) for past in history.latest()] == [
        (1, "a"),
        (-1, "late"),
        (-2, "early"),
    ]
    assert [past.pkgbase for past in history.published()] == ["a", "late", "early"]
    late = history.last_success("repo/x86_64/late")
    assert late is not None
    assert (late.generation, late.finished, late.build_seconds) == ("3", START + 9, None)
    assert history.forecast("repo/x86_64/late") is None


def test_what_cannot_be_read_of_the_repositories_stops_nothing(
    queue: Queue, history: History, caplog: pytest.LogCaptureFixture
) -> None:
    def published() -> Iterator[FormerPublication]:
        yield former("b")
        raise OSError("the disk is gone")

    claim = fail(queue)
    follow(queue, HistoryRecorder(queue, history, published=published))
    assert [past.job_id for past in history.latest()] == [claim.job_id]
    assert "the disk is gone" in caplog.text


def test_a_queue_that_was_lost_goes_on_with_new_ids(
    queue: Queue, redis: Redis, history: History
) -> None:
    for name in "abc":
        fail(queue, name)
    follow(queue, HistoryRecorder(queue, history))
    redis.flushall()
    follow(queue, HistoryRecorder(queue, history))
    claim = fail(queue, "d")
    follow(queue, HistoryRecorder(queue, history))
    assert claim.job_id == 4
    assert [past.pkgbase for past in history.latest()] == ["d", "c", "b", "a"]


def test_old_jobs_are_forgotten_by_and_by(queue: Queue, history: History) -> None:
    fail(queue)
    now = [0.0]
    recorder = HistoryRecorder(queue, history, days=0, clock=lambda: now[0])
    follow(queue, recorder)
    assert history.latest() == []


def test_others_ask_and_nothing_is_recorded_twice(
    queue: Queue, history: History, recorder: HistoryRecorder
) -> None:
    fail(queue)
    events: list[Event] = queue.events()
    recorder.consume(events)
    recorder.consume(events)
    assert len(history.latest()) == 1
