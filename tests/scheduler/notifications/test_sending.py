"""Messages arrive once, whatever happens to those who send them and those who take them."""

from __future__ import annotations

import logging
import re
import threading
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import ConfigError
from scheduler.job import Outcome
from scheduler.logs import LogStore
from scheduler.notifications.model import Note, entry_key
from scheduler.notifications.target import Target
from scheduler.notifications.wording import Message
from scheduler.outbox import DeliveryError, Dispatcher, Patience
from scheduler.settings.telling import NotificationTarget, Told
from tests.scheduler.notifications.conftest import TELEGRAM, Telling, telling_of
from tests.support.queue import claimed, job, submit, worker
from tests.support.telegram import TOKEN

if TYPE_CHECKING:
    from redis import Redis

    from scheduler.queue import Queue
    from tests.support.clock import Clock
    from tests.support.telegram import Telegram

HOUR, DAY = 3600.0, 86400.0


def fail(queue: Queue, *names: str, log: LogStore | None = None) -> None:
    submit(queue, *map(job, names))
    for _ in names:
        claim = claimed(queue, worker("builder-1"))
        if log:
            log.start(claim.job_id, claim.attempt, claim.identity)
            log.append(claim.job_id, claim.attempt, b"==> ERROR")
        queue.finish(claim, Outcome.FAILED)


def test_a_failure_is_told_with_links(redis: Redis, telling: Telling, telegram: Telegram) -> None:
    fail(telling.queue, "a_b", log=LogStore(redis))
    telling.notice()
    telling.send()

    (shown,) = telegram.shown
    assert shown.text == "🚨 Failed deploying to repo on builder-1:\na_b - logs - commit"
    assert [label for label, _ in shown.links] == ["logs", "commit"]
    logs, commit = (url for _, url in shown.links)
    assert re.fullmatch(
        r"https://builds\.example\.org/logs/logs\.html\?timestamp=[0-9]{13}&id=a_b", logs
    )
    assert commit.startswith("https://gitlab.example.org/group/pkgbuilds/-/commit/")
    assert "s3cret" not in commit
    assert telling.outbox.size() == 0


def test_what_comes_together_is_one_message(telling: Telling, telegram: Telegram) -> None:
    for number in range(5):
        fail(telling.queue, *(f"p{number}-{each}" for each in range(10)))
        telling.notice()
        telling.send(later=1)
    assert telegram.shown == []

    telling.send()

    (text,) = telegram.texts
    assert len(re.findall(r"p[0-9]-[0-9]\b", text)) == 50


def test_a_storm_that_goes_on_is_told_after_a_minute(telling: Telling, telegram: Telegram) -> None:
    began = telling.clock.now = telling.clock.now + 3600
    for number in range(20):
        position = telling.noticer.position()
        note = Note(
            told=Told.FAILED, repository="repo", time=began + 5 * number, pkgbase=f"p{number}"
        )
        entries = {entry_key("telegram", f"{number}-0"): note.to_json()}
        telling.outbox.write(entries, after=position, position=position)
        telling.clock.now += 5
        telling.sender.send(lambda: True)

    telling.send()

    assert [len(text.splitlines()) - 1 for text in telegram.texts] == [12, 8]


def test_a_chat_that_is_down_for_a_day_misses_nothing(
    redis: Redis, telling: Telling, telegram: Telegram
) -> None:
    telegram.is_down = True
    for number in range(3):
        fail(telling.queue, f"p{number}")
        telling.notice()
        for _ in range(int(DAY / 3 / HOUR * 12)):
            telling.send(later=HOUR / 12)
    tries = len(telegram.calls)
    assert 30 < tries < 100
    (rest,) = Patience(telling.outbox).rests().values()
    assert rest.failures == tries
    assert "Bad Gateway" in rest.reason

    telegram.is_down = False
    # Another process goes on where this one was.
    other = telling_of(redis, telling.queue, telling.clock)
    other.send(later=HOUR)
    other.send()

    assert [text.count("- commit") for text in telegram.texts] == [3]
    assert telling.outbox.size() == 0
    assert Patience(telling.outbox).rests() == {}


def test_what_arrived_is_not_sent_again_when_the_next_one_does_not(
    telling: Telling, telegram: Telegram
) -> None:
    fail(telling.queue, "a")
    submit(telling.queue, job("b"))
    telling.queue.finish(claimed(telling.queue), Outcome.TIMED_OUT)
    telling.notice()
    taken = telegram.take
    telegram.faults = []

    def second_fails(path: str, call: dict[str, object]) -> tuple[int, dict[str, object]]:
        telegram.faults = [(502, "Bad Gateway")] if len(telegram.calls) == 1 else []
        return taken(path, call)

    telegram.take = second_fails  # type: ignore[method-assign]
    telling.send()
    telling.send()
    telling.send(later=HOUR)
    del telegram.take

    assert [text.splitlines()[1].split()[0] for text in telegram.texts] == ["a", "b"]
    assert len(telegram.calls) == 3
    assert all(message.links for message in telegram.shown)


def test_markup_that_is_refused_comes_as_plain_text(telling: Telling, telegram: Telegram) -> None:
    telegram.faults = [(400, "Bad Request: can't parse entities")]
    fail(telling.queue, "a_b")
    telling.notice()
    telling.send()

    (shown,) = telegram.shown
    assert "a_b - logs: https://builds" in shown.text
    assert shown.links == ()


def test_one_that_is_down_keeps_nobody_else_waiting(
    redis: Redis, queue: Queue, clock: Clock, telegram: Telegram
) -> None:
    broken = NotificationTarget(name="broken", url="json://127.0.0.1:1/")
    telling = telling_of(redis, queue, clock, broken, TELEGRAM)
    fail(queue, "a")
    telling.notice()
    telling.send()

    assert len(telegram.shown) == 1
    assert telling.outbox.size() == 1
    assert list(Patience(telling.outbox).rests()) == ["broken"]


def test_old_news_and_those_that_nobody_reads_are_given_up(
    redis: Redis, telling: Telling, telegram: Telegram
) -> None:
    gone = NotificationTarget(name="gone", url=TELEGRAM.url)
    other = telling_of(redis, telling.queue, telling.clock, gone, TELEGRAM)
    fail(telling.queue, "a")
    other.notice()
    assert telling.outbox.size() == 2

    telling.send(later=8 * DAY)

    assert telegram.shown == []
    assert telling.outbox.size() == 0
    assert telling.outbox.counts()["dropped"] == 2


def test_what_a_later_version_has_written_keeps_nobody_waiting(
    telling: Telling, telegram: Telegram
) -> None:
    position = telling.noticer.position()
    strange = {"telegram 1-0": '{"told": "promoted"}', "telegram 1-1": "[]", "telegram 1-2": "?"}
    telling.outbox.write(strange, after=position, position=position)
    fail(telling.queue, "a")
    telling.notice()
    telling.send()

    assert len(telegram.shown) == 1
    assert telling.outbox.size() == 0
    assert telling.outbox.counts()["dropped"] == 3


def test_of_two_processes_one_sends(
    redis: Redis, queue: Queue, clock: Clock, telegram: Telegram
) -> None:
    clock.now += 60
    one, other = telling_of(redis, queue, clock), telling_of(redis, queue, clock)
    first, second = (Dispatcher(each.sender, threading.Event()) for each in (one, other))
    assert first.step()
    fail(queue, "a")
    one.notice()

    assert second.step()
    assert telegram.shown == []
    assert first.step()
    assert len(telegram.shown) == 1


def test_no_secret_is_told(
    telling: Telling, telegram: Telegram, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="apprise")
    caplog.set_level(logging.DEBUG, logger="scheduler")
    telegram.faults = 2 * [(401, f"Unauthorized: {TOKEN}")]
    fail(telling.queue, "a")
    telling.notice()
    telling.send()

    assert "again in" in caplog.text
    assert TOKEN not in caplog.text
    assert TOKEN not in str(telling.outbox.troubles())
    assert TOKEN not in repr(TELEGRAM)


def test_a_url_that_says_nothing_is_refused_without_showing_it() -> None:
    with pytest.raises(ConfigError) as caught:
        Target(NotificationTarget(name="chat", url="tgram://s3cret-thing/"))

    assert "chat" in caught.value.message
    assert "s3cret" not in caught.value.message + caught.value.hint


def test_a_target_that_blows_up_is_one_that_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    target = Target(NotificationTarget(name="x", url="json://127.0.0.1:1/"))
    monkeypatch.setattr(target._plugin, "send", lambda **_: 1 / 0)

    with pytest.raises(DeliveryError, match="ZeroDivisionError"):
        target.send(Message("", "text"))
