"""The queue's events for any number of readers, with one look for all of them."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from caur_ci.errors import InputError, TemporaryError
from scheduler.web.streaming.pulse import Pulse
from scheduler.web.streaming.shared import SharedReads

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from scheduler.queue import Event, QueueReader
    from scheduler.web.streaming.threads import Threads

_log = logging.getLogger(__name__)

_BATCH = 200
_BATCHES_KEPT = 50
_BLOCK = 1.0
_LOOKED_AFTER = 60.0
_PAUSE_AFTER_ERROR = 1.0
_EVENT_ID = re.compile(r"([0-9]{1,16})(?:-([0-9]{1,16}))?", re.ASCII)


def check_event_id(text: str) -> str:
    """Return the id of an event, or raise InputError."""
    if not _EVENT_ID.fullmatch(text):
        raise InputError(
            f"{text[:100]!r} is no id of an event", hint="They look like 1700000000000-0."
        )
    return text


def place_of(event_id: str) -> tuple[int, int]:
    """Return what ids are ordered by."""
    time, _, number = event_id.partition("-")
    return int(time), int(number or 0)


class EventFeed:
    """What happens in the queue, while somebody listens. For one event loop."""

    def __init__(self, queue: QueueReader, threads: Threads) -> None:
        self._queue = queue
        self._threads = threads
        self._pulse = Pulse()
        self._last = "0"
        self._listeners = 0
        self._watcher: asyncio.Task[None] | None = None
        self._batches: SharedReads[str, Sequence[Event]] = SharedReads(_BATCH * _BATCHES_KEPT, len)
        self._closing = False

    def close(self) -> None:
        """Let all who listen end."""
        self._closing = True
        self._pulse.beat()

    async def batches(self, after: str) -> AsyncIterator[Sequence[Event]]:
        """Yield the events after that id as they come."""
        async with self._listening():
            while not self._closing:
                if place_of(after) >= place_of(self._last):
                    await self._pulse.wait(_LOOKED_AFTER)
                elif events := await self._after(after):
                    after = events[-1].id
                    yield events

    async def newest(self) -> str:
        """Return the id of the newest event."""
        return await self._threads.run(self._queue.last_event_id)

    async def _after(self, after: str) -> Sequence[Event]:
        async def fetch() -> Sequence[Event]:
            return await self._threads.run(lambda: self._queue.events(after, limit=_BATCH))

        try:
            return await self._batches.get(after, fetch)
        except TemporaryError:
            await asyncio.sleep(_PAUSE_AFTER_ERROR)
            return ()

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        self._listeners += 1
        if self._watcher is None:
            self._last = "0"
            self._watcher = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            self._listeners -= 1
            if not self._listeners and self._watcher is not None:
                self._watcher.cancel()
                self._watcher = None

    async def _watch(self) -> None:
        """Look for what is new while somebody listens."""
        while True:
            try:
                if self._last == "0":
                    self._last = await self.newest()
                    self._pulse.beat()
                await self._look()
            except TemporaryError as error:
                _log.warning("events cannot be read: %s", error)
                await asyncio.sleep(_PAUSE_AFTER_ERROR)
            except Exception:  # noqa: BLE001 - whatever it is, others wait for what comes next
                _log.exception("events cannot be read")
                await asyncio.sleep(_PAUSE_AFTER_ERROR)

    async def _look(self) -> None:
        after = self._last
        events = await self._threads.run(
            lambda: self._queue.events(after, block=_BLOCK, limit=_BATCH)
        )
        if events:
            self._batches.put(after, events)
            self._last = events[-1].id
            self._pulse.beat()


async def as_sse(
    feed: EventFeed, after: str, shown: Callable[[Event], object]
) -> AsyncIterator[bytes]:
    """Yield the events after that id as server-sent events; `shown` is what is told of each."""
    async for events in feed.batches(after):
        parts = []
        for event in events:
            text = json.dumps(shown(event), ensure_ascii=False, separators=(",", ":"))
            parts.append(f"id: {event.id}\ndata: {text}\n\n")
        if parts:
            yield "".join(parts).encode("utf-8", "replace")
