"""Fixtures of notifications: Telegram on loopback, and a clock that is told the time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from apprise.plugins.telegram import NotifyTelegram

from scheduler.notifications.noticing import OUTBOX, Noticer
from scheduler.notifications.sending import NoteSender
from scheduler.notifications.target import Target
from scheduler.outbox import Outbox
from scheduler.settings.telling import NotificationTarget
from tests.support.clock import Clock
from tests.support.telegram import CHAT, TOKEN, Telegram, serving_telegram

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from scheduler.queue import Queue

TELEGRAM = NotificationTarget(name="telegram", url=f"tgram://{TOKEN}/{CHAT}")
SOURCE = "https://me:s3cret@gitlab.example.org/group/pkgbuilds.git"
LOGS = "https://builds.example.org/logs/logs.html"


@pytest.fixture(scope="session")
def _telegram() -> Iterator[Telegram]:
    with serving_telegram() as telegram:
        yield telegram


@pytest.fixture
def telegram(_telegram: Telegram, monkeypatch: pytest.MonkeyPatch) -> Telegram:
    """Return Telegram as it has heard nothing yet; Apprise sends there, as fast as it can."""
    _telegram.__init__(url=_telegram.url)  # type: ignore[misc]
    monkeypatch.setattr(NotifyTelegram, "notify_url", _telegram.url)
    monkeypatch.setattr(NotifyTelegram, "request_rate_per_sec", 0)
    return _telegram


@dataclass
class Telling:
    """Notifications about a queue, as one process has them."""

    queue: Queue
    noticer: Noticer
    sender: NoteSender
    outbox: Outbox
    clock: Clock

    def notice(self) -> None:
        """Take note of what has happened."""
        while events := self.queue.events(self.noticer.position()):
            self.noticer.consume(events)

    def send(self, *, later: float = 10.0) -> None:
        """Send after so many seconds, however long it took to get here."""
        seconds, _ = self.queue.client.time()
        self.clock.now = max(self.clock.now, float(seconds)) + later
        self.sender.send(lambda: True)


def telling_of(redis: Redis, queue: Queue, clock: Clock, *targets: NotificationTarget) -> Telling:
    """Return a process that tells the targets."""
    outbox = Outbox(redis, OUTBOX)
    targets = targets or (TELEGRAM,)
    noticer = Noticer(queue, outbox, targets, {"source": SOURCE}, clock=clock)
    opened = [Target(target) for target in targets]
    sender = NoteSender(outbox, opened, logs_url=LOGS, clock=clock)
    noticer.position()
    return Telling(queue, noticer, sender, outbox, clock)


@pytest.fixture
def clock(redis: Redis) -> Clock:
    """Return a clock that begins with that of the server."""
    seconds, _ = redis.time()
    return Clock(float(seconds))


@pytest.fixture
def telling(redis: Redis, queue: Queue, clock: Clock, telegram: Telegram) -> Telling:
    """Return a process that tells the chat at Telegram everything."""
    return telling_of(redis, queue, clock)
