"""Events get to their consumers: all of them, in order, whatever fails in between."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from caur_ci.errors import TemporaryError
from scheduler import following
from scheduler.following import Follower
from tests.support.queue import job, submit

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from scheduler.queue import Event, Queue


class Listener:
    """Remembers what it was told, and fails when it is to."""

    name = "listener"

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.failures: list[Exception] = []
        self._position = "0"

    def position(self) -> str:
        return self._position

    def consume(self, events: Sequence[Event]) -> None:
        if self.failures:
            raise self.failures.pop()
        self.heard += [f"{event.kind} {event.identity.rpartition('/')[2]}" for event in events]
        if events:
            self._position = events[-1].id


def test_what_happened_is_told_once(queue: Queue) -> None:
    listener = Listener()
    follower = Follower(queue, listener, threading.Event())
    submit(queue, job("a"))

    told = follower.step()
    submit(queue, job("b"))
    follower.step()

    assert told == 1
    assert listener.heard == ["submitted a", "submitted b"]
    assert follower.step() == 0


def test_what_failed_comes_again(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_SHORTEST_PAUSE", 0.0)
    listener = Listener()
    listener.failures = [TemporaryError("full"), ValueError("a mistake")]
    follower = Follower(queue, listener, threading.Event())
    submit(queue, job("a"))

    assert [follower.step() for _ in range(3)] == [0, 0, 1]
    assert listener.heard == ["submitted a"]


def test_it_ends_when_it_is_told_to(queue: Queue) -> None:
    listener, stop = Listener(), threading.Event()
    thread = Follower(queue, listener, stop).start()
    submit(queue, job("a"))
    while not listener.heard:
        time.sleep(0.01)

    stop.set()
    thread.join(timeout=30)

    assert not thread.is_alive()
