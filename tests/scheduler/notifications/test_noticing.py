"""What happens in the queue is noted once for everybody who wants to know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from scheduler.job import FailureClass, Outcome, Removal
from scheduler.notifications import noticing
from scheduler.notifications.model import Note
from scheduler.queue import Backoff, Queue
from scheduler.settings.telling import NotificationTarget, Told
from tests.scheduler.notifications.conftest import TELEGRAM, Telling, telling_of
from tests.support.queue import COMMIT, claimed, job, let_leases_end, submit, worker

if TYPE_CHECKING:
    from redis import Redis

    from tests.support.clock import Clock


def notes(telling: Telling) -> list[Note]:
    telling.notice()
    found = [Note.from_json(text) for text in telling.outbox.entries().values()]
    return sorted(found, key=lambda each: (each.time, each.pkgbase))


def published(queue: Queue, pkgbase: str) -> None:
    submit(queue, job(pkgbase))
    queue.land(claimed(queue, worker("builder-1")), "delivery")
    (landed,) = queue.claim_landed("runner")
    queue.finish(landed, Outcome.SUCCESS)


def test_a_deployment_names_worker_and_commit(telling: Telling) -> None:
    published(telling.queue, "a")

    (found,) = notes(telling)

    assert (found.told, found.pkgbase, found.repository) == (Told.DEPLOYED, "a", "repo")
    assert found.node == "builder-1"
    assert found.commit_url == f"https://gitlab.example.org/group/pkgbuilds/-/commit/{COMMIT}"
    assert telling.outbox.notes() == {}


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (Outcome.FAILED, Told.FAILED),
        (Outcome.TIMED_OUT, Told.TIMED_OUT),
        (Outcome.SOFTWARE_FAILURE, Told.SOFTWARE_FAILURE),
        (Outcome.ALREADY_BUILT, None),
        (Outcome.SKIPPED, None),
        (Outcome.CANCELED, None),
    ],
    ids=str,
)
def test_ends_of_builds(telling: Telling, outcome: Outcome, told: Told | None) -> None:
    submit(telling.queue, job("a"))
    failure = FailureClass.COMPILE if outcome is Outcome.FAILED else None
    telling.queue.finish(claimed(telling.queue), outcome, "why", failure=failure)

    assert [each.told for each in notes(telling)] == ([told] if told else [])


def test_a_job_that_is_lost_too_often_is_told(redis: Redis, telling: Telling) -> None:
    queue = Queue(redis, backoff=Backoff(losses=1))
    submit(queue, job("a"))
    claimed(queue)
    let_leases_end(redis)
    queue.reap()

    assert [each.told for each in notes(telling)] == [Told.SOFTWARE_FAILURE]


@pytest.mark.parametrize(
    ("error", "told"),
    [("", Told.CLEANUP), ("why", Told.CLEANUP_FAILED)],
    ids=["done", "failed"],
)
def test_ends_of_removals(telling: Telling, error: str, told: Told) -> None:
    telling.queue.submit("r", [], [Removal(target_repo="repo", remove=("a",))])
    (removal,) = telling.queue.claim_removals("runner")
    telling.queue.finish_removal(removal, error=error)

    (found,) = notes(telling)

    assert (found.told, found.repository, found.pkgbase) == (told, "repo", "")
    assert found.reason == error


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ({}, ["a-git", "b", "b"]),
        ({"events": frozenset({Told.FAILED})}, ["b"]),
        ({"packages": ("*-git",)}, ["a-git"]),
        ({"packages": ("A-*", "b")}, ["b", "b"]),
        ({"repositories": frozenset({"elsewhere"})}, []),
        ({"repositories": frozenset({"repo"}), "packages": ("a*",)}, ["a-git"]),
    ],
    ids=["all", "failures", "pattern", "patterns", "no repository", "repository and pattern"],
)
def test_everybody_is_told_what_they_asked_for(
    redis: Redis, queue: Queue, clock: Clock, choice: dict[str, Any], told: list[str]
) -> None:
    target = NotificationTarget(name="chosen", url=TELEGRAM.url, **choice)
    telling = telling_of(redis, queue, clock, target)
    published(queue, "a-git")
    published(queue, "b")
    submit(queue, job("b"))
    queue.finish(claimed(queue), Outcome.FAILED)

    assert [each.pkgbase for each in notes(telling)] == told


def test_what_was_before_is_not_told(
    redis: Redis, queue: Queue, clock: Clock, telegram: object
) -> None:
    published(queue, "old")
    telling = telling_of(redis, queue, clock)
    published(queue, "new")

    assert [each.pkgbase for each in notes(telling)] == ["new"]


def test_two_processes_note_it_once(
    redis: Redis, queue: Queue, clock: Clock, telegram: object
) -> None:
    one, other = telling_of(redis, queue, clock), telling_of(redis, queue, clock)
    after = one.noticer.position()
    published(queue, "a")
    events = queue.events(after)
    one.noticer.consume(events)
    one.outbox.remove(one.outbox.entries())
    published(queue, "b")

    # It read these before the first one had dealt with them, and told of them.
    other.noticer.consume(events)
    other.notice()
    one.notice()

    assert [each.pkgbase for each in notes(one)] == ["b"]


def test_the_oldest_make_room(telling: Telling, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noticing, "_MOST_WAITING", 2)
    for name in "abc":
        published(telling.queue, name)

    assert [each.pkgbase for each in notes(telling)] == ["b", "c"]
    assert telling.outbox.counts() == {"dropped": 1}


def test_who_builds_is_forgotten_when_the_end_was_missed(telling: Telling) -> None:
    submit(telling.queue, job("a"), job("b"))
    ended = claimed(telling.queue)
    claimed(telling.queue)
    telling.notice()
    telling.queue.finish(ended, Outcome.SUCCESS)

    telling.noticer.consume([])

    assert list(telling.outbox.notes().values()) == ["worker"]
