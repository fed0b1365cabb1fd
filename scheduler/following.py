"""Follows the queue's events: history, metrics, notifications and statuses all live on them."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Protocol

from caur_ci.errors import TemporaryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler.queue import Event, QueueReader

_log = logging.getLogger(__name__)

_BATCH = 500
# How long one look waits for the next event: also how long it may take to notice the end.
_WAIT = 2.0
_SHORTEST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


class EventConsumer(Protocol):
    """What events are told to."""

    @property
    def name(self) -> str:
        """What it is called in logs."""
        ...

    def position(self) -> str:
        """Return the id of the last event that was dealt with, "0" for the very beginning."""
        ...

    def consume(self, events: Sequence[Event]) -> None:
        """Deal with the events, and remember the last of them as the position: both or neither.

        They come in order. They may come again where the position was not kept, and some may be
        missing: the queue keeps the latest 100,000. With no events, time has passed.

        Raises TemporaryError where the same events are to come again after a pause.
        """
        ...


def unseen(events: Sequence[Event], position: str) -> Sequence[Event]:
    """Return those events that come after a position: another process may have dealt with some."""
    return [event for event in events if _place(event.id) > _place(position)]


def _place(event_id: str) -> tuple[int, int]:
    milliseconds, _, number = event_id.partition("-")
    return int(milliseconds), int(number or 0)


class Follower:
    """Tells a consumer every event, from where it left off, until told to stop.

    What fails in the consumer stops neither the others nor the program.
    """

    def __init__(self, queue: QueueReader, consumer: EventConsumer, stop: threading.Event) -> None:
        self._queue = queue
        self._consumer = consumer
        self._stop = stop
        self._pause = 0.0

    def start(self) -> threading.Thread:
        """Follow in a thread of its own, and return it."""
        thread = threading.Thread(target=self.run, name=self._consumer.name, daemon=True)
        thread.start()
        return thread

    def run(self) -> None:
        """Follow until told to stop."""
        while not self._stop.is_set():
            self.step(wait=_WAIT)

    def step(self, *, wait: float = 0.0) -> int:
        """Tell the consumer what is new, after at most `wait` seconds; return how much that was."""
        try:
            events = self._queue.events(self._consumer.position(), block=wait, limit=_BATCH)
            self._consumer.consume(events)
        except TemporaryError as error:
            _log.warning("%s: %s", self._consumer.name, error)
            self._rest()
        except Exception:  # noqa: BLE001 - whatever it is, the others go on
            _log.exception("%s failed", self._consumer.name)
            self._rest()
        else:
            self._pause = 0.0
            return len(events)
        return 0

    def _rest(self) -> None:
        """Wait a while, longer each time in a row."""
        self._pause = min(_LONGEST_PAUSE, max(_SHORTEST_PAUSE, 2 * self._pause))
        _log.info("%s goes on in %g s", self._consumer.name, self._pause)
        self._stop.wait(self._pause)
