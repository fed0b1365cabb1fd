"""Lets others know what happens in the queue: chats, forges, and those who collect metrics."""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from redis import Redis

    from caur_ci.cli.session import Session
    from scheduler.following import EventConsumer
    from scheduler.notifications.target import Target
    from scheduler.outbox import Sender
    from scheduler.queue import QueueReader
    from scheduler.settings import StatusNotifier, TellingSettings

# Somebody may wait for events; and a message that is on its way is to be seen to arrive.
_LAST_WAIT = 5.0


def telling_settings(session: Session, environment: Mapping[str, str]) -> TellingSettings:
    """Return whom to tell what. Raises ConfigError."""
    from scheduler.settings import TellingSettings  # noqa: PLC0415 - slow to import

    return TellingSettings.from_environment(environment, session.secrets)


def open_targets(settings: TellingSettings) -> list[Target]:
    """Return those who are notified. Raises ConfigError."""
    if not settings.targets:
        return []
    from scheduler.notifications.target import Target  # noqa: PLC0415 - slow to import

    return [Target(each) for each in settings.targets]


@contextmanager
def telling(session: Session, environment: Mapping[str, str], client: Redis) -> Iterator[None]:
    """Count, notify and set statuses, in threads, until the end of the block.

    Raises ConfigError.
    """
    from scheduler.following import Follower  # noqa: PLC0415 - slow to import
    from scheduler.metrics import EventCounter, Metrics, Tallies, serving_metrics  # noqa: PLC0415
    from scheduler.outbox import Dispatcher  # noqa: PLC0415
    from scheduler.queue import QueueReader  # noqa: PLC0415

    settings = telling_settings(session, environment)
    queue = QueueReader(client)
    consumers: list[EventConsumer] = [EventCounter(queue, Tallies(client))]
    senders: list[Sender] = []
    for consumer, sender in _parts(settings, queue):
        consumers.append(consumer)
        senders.append(sender)
    ended = threading.Event()
    with ExitStack() as stack:
        if settings.metrics_port is not None:
            render = Metrics(queue).render
            stack.enter_context(
                serving_metrics(render, settings.metrics_host, settings.metrics_port)
            )
        threads = [Follower(queue, each, ended).start() for each in consumers]
        threads += [Dispatcher(each, ended).start() for each in senders]
        try:
            yield
        finally:
            ended.set()
            for thread in threads:
                thread.join(_LAST_WAIT)


def _parts(settings: TellingSettings, queue: QueueReader) -> Sequence[tuple[EventConsumer, Sender]]:
    """Return what follows the queue for others, each with what sends to them."""
    found: list[tuple[EventConsumer, Sender]] = []
    if settings.targets:
        found.append(_notifications(settings, queue))
    statuses = {name: it for name, it in settings.notifiers.items() if it.statuses}
    if statuses:
        found.append(_statuses(settings, statuses, queue))
    issues = {name: it for name, it in settings.notifiers.items() if it.issues}
    if issues:
        found.append(_issues(settings, issues, queue))
    return found


def _notifications(settings: TellingSettings, queue: QueueReader) -> tuple[EventConsumer, Sender]:
    from scheduler.notifications import OUTBOX, NoteSender, Noticer  # noqa: PLC0415
    from scheduler.outbox import Outbox  # noqa: PLC0415

    outbox = Outbox(queue.client, OUTBOX)
    noticer = Noticer(queue, outbox, settings.targets, settings.repository_urls)
    return noticer, NoteSender(outbox, open_targets(settings), logs_url=settings.logs_url)


def _statuses(
    settings: TellingSettings, notifiers: Mapping[str, StatusNotifier], queue: QueueReader
) -> tuple[EventConsumer, Sender]:
    from scheduler.logs import LogStore  # noqa: PLC0415 - slow to import
    from scheduler.outbox import Outbox  # noqa: PLC0415
    from scheduler.statuses import OUTBOX, StatusFollower, StatusSender, forge_of  # noqa: PLC0415

    outbox = Outbox(queue.client, OUTBOX)
    forges = {name: forge_of(each) for name, each in notifiers.items()}
    logs = LogStore(queue.client)
    sender = StatusSender(outbox, notifiers, forges, logs, logs_url=settings.logs_url)
    return StatusFollower(queue, outbox, notifiers), sender


def _issues(
    settings: TellingSettings, notifiers: Mapping[str, StatusNotifier], queue: QueueReader
) -> tuple[EventConsumer, Sender]:
    from scheduler.issues import OUTBOX, IssueFollower, IssueSender, tracker_of  # noqa: PLC0415
    from scheduler.logs import LogStore  # noqa: PLC0415
    from scheduler.outbox import Outbox  # noqa: PLC0415

    outbox = Outbox(queue.client, OUTBOX)
    sender = IssueSender(
        outbox,
        notifiers,
        {name: tracker_of(each) for name, each in notifiers.items()},
        LogStore(queue.client),
        repository_urls=settings.repository_urls,
        logs_url=settings.logs_url,
    )
    return IssueFollower(queue, outbox, notifiers), sender
