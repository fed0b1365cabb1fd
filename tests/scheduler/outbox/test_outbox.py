"""What waits in an outbox is there once, until it has arrived."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import TemporaryError
from scheduler.outbox import Dispatcher, Outbox, Patience
from tests.support.queue import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis


@pytest.fixture
def outbox(redis: Redis) -> Outbox:
    made = Outbox(redis, "test")
    made.position(lambda: "1-0")
    return made


def test_it_begins_once(redis: Redis, outbox: Outbox) -> None:
    assert outbox.position(lambda: "9-0") == "1-0"
    assert Outbox(redis, "other").position(lambda: "9-0") == "9-0"


def test_entries_notes_and_position_are_written_together(outbox: Outbox) -> None:
    assert outbox.write({"a": "1"}, notes={"n": "x"}, after="1-0", position="2-0")
    assert not outbox.write({"b": "1"}, notes={"n": None}, after="1-0", position="3-0")

    assert outbox.entries() == {"a": "1"}
    assert outbox.notes() == {"n": "x"}
    assert outbox.position(str) == "2-0"


def test_notes_are_taken_out(outbox: Outbox) -> None:
    outbox.write({}, notes={"a": "1", "b": "2"}, after="1-0", position="2-0")
    outbox.write({}, notes={"a": None}, after="2-0", position="3-0")
    outbox.change_notes({"b": None, "c": "3"})

    assert outbox.notes() == {"c": "3"}
    assert outbox.notes_of(["c", "a", "c"]) == {"c": "3"}
    assert outbox.notes_of([]) == {}


def test_what_became_something_else_stays(outbox: Outbox) -> None:
    outbox.write({"a": "old", "b": "old"}, after="1-0", position="2-0")
    sent = outbox.entries()
    outbox.write({"b": "new"}, after="2-0", position="3-0")

    outbox.take_out(sent)

    assert outbox.entries() == {"b": "new"}


def test_what_is_given_up_is_counted(outbox: Outbox) -> None:
    outbox.write({"a": "1", "b": "2"}, after="1-0", position="2-0")
    outbox.drop(["a"])
    outbox.remove(["b"])

    assert (outbox.size(), outbox.counts()) == (0, {"dropped": 1})


def test_one_sends_at_a_time(redis: Redis, outbox: Outbox) -> None:
    assert outbox.hold("one", 60)
    assert outbox.hold("one", 60)
    assert not Outbox(redis, "test").hold("other", 60)

    outbox.let_go("other")
    assert not outbox.hold("other", 60)
    outbox.let_go("one")
    assert outbox.hold("other", 60)


def test_one_that_died_while_sending_is_followed_by_another(redis: Redis, outbox: Outbox) -> None:
    assert outbox.hold("dead", 0.001)
    eventually(lambda: outbox.hold("other", 60))


def test_pauses_grow_and_are_remembered(redis: Redis, outbox: Outbox) -> None:
    patience = Patience(outbox)
    pauses = [round(patience.failed("chat", "no", 100.0).until - 100) for _ in range(9)]

    assert pauses == [15, 30, 60, 120, 240, 480, 960, 1800, 1800]
    rest = Patience(Outbox(redis, "test")).rests()["chat"]
    assert (rest.failures, rest.since, rest.reason) == (9, 100.0, "no")

    patience.succeeded("chat")
    assert patience.rests() == {}


def test_a_pause_that_is_asked_for_is_kept_to(outbox: Outbox) -> None:
    patience = Patience(outbox)
    assert patience.failed("a", "", 0.0, wait=100).until == 100
    assert patience.failed("b", "", 0.0, wait=1e9).until == 1800


class Talker:
    """Sends what it is to, or fails."""

    name = "talker"

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.sent = 0
        self.failures: list[Exception] = []

    def send(self, may_go_on: Callable[[], bool]) -> None:
        if self.failures:
            raise self.failures.pop()
        assert may_go_on()
        self.sent += 1


def test_a_sender_that_fails_is_called_again(outbox: Outbox) -> None:
    talker = Talker(outbox)
    talker.failures = [TemporaryError("away"), ValueError("a mistake")]
    dispatcher = Dispatcher(talker, threading.Event())

    assert [dispatcher.step() for _ in range(3)] == [False, False, True]
    assert talker.sent == 1


def test_the_end_lets_others_send_at_once(redis: Redis, outbox: Outbox) -> None:
    talker, stop = Talker(outbox), threading.Event()
    thread = Dispatcher(talker, stop).start()
    eventually(lambda: talker.sent > 0)

    stop.set()
    thread.join(timeout=30)

    assert not thread.is_alive()
    assert Outbox(redis, "test").hold("other", 60)
