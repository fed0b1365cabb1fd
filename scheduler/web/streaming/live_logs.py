"""Logs for any number of readers: each reads from its own offset, and one look is for all of them.

Nothing is buffered for a reader. What was read last is shared, so that readers at the same place
cost one read.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.errors import TemporaryError
from scheduler.job import JobState
from scheduler.web.streaming.pulse import Pulse
from scheduler.web.streaming.shared import SharedReads

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from scheduler.history import PastLog
    from scheduler.web.services import WebServices
    from scheduler.web.streaming.threads import Threads

_log = logging.getLogger(__name__)

# Reads begin anywhere and end at a multiple of this, so that readers get into step.
BLOCK = 64 * 1024
_READ_AHEAD = 4
_KEPT = 8 * 1024 * 1024
_POLLED_EVERY = 0.25
# After this long without growth: has the job ended without a word in its log?
_SILENCE = 15.0
_PAUSE_AFTER_ERROR = 1.0

Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class LogEvent:
    """A part of a log as an event, ready to be sent, and where the next one begins."""

    data: bytes
    next_offset: int


@dataclass(eq=False)
class _Watched:
    """A log that somebody follows."""

    size: int
    ended: bool
    readers: int = 0
    pulse: Pulse = field(default_factory=Pulse)
    watcher: asyncio.Task[None] | None = None


class LiveLogs:
    """The logs that are being read. For one event loop."""

    def __init__(self, services: WebServices, threads: Threads) -> None:
        self._services = services
        self._threads = threads
        self._watched: dict[Key, _Watched] = {}
        self._blocks: SharedReads[tuple[Key, int], bytes] = SharedReads(_KEPT, len)
        self._events: SharedReads[tuple[Key, int], LogEvent] = SharedReads(
            _KEPT, lambda event: len(event.data)
        )
        self._closing = False

    def close(self) -> None:
        """Let all readers end."""
        self._closing = True
        for watched in self._watched.values():
            watched.pulse.beat()

    @asynccontextmanager
    async def follow(self, log: PastLog) -> AsyncIterator[LogFollower]:
        """Provide a reader of a log, as it was found, until the block ends."""
        key = (log.job_id, log.attempt)
        watched = self._watched.setdefault(key, _Watched(size=log.size, ended=log.ended))
        watched.readers += 1
        if watched.ended and not log.ended:
            watched.ended, watched.watcher = False, None  # it goes on after all
        if watched.watcher is None and not watched.ended:
            watched.watcher = asyncio.create_task(self._watch(key, watched))
        try:
            yield LogFollower(self, key, watched)
        finally:
            watched.readers -= 1
            if not watched.readers:
                del self._watched[key]
                if watched.watcher is not None:
                    watched.watcher.cancel()

    async def block(self, key: Key, offset: int, size: int) -> bytes:
        """Return some bytes from `offset` on, of a log of that size; none where it is gone."""

        async def fetch() -> bytes:
            end = min(size, (offset // BLOCK + _READ_AHEAD) * BLOCK)
            chunk = await self._threads.run(
                lambda: self._services.logs.read(*key, offset, limit=end - offset)
            )
            if chunk.offset != offset:
                return b""
            first, *later = _blocks(offset, chunk.data)
            for place, data in later:
                self._blocks.put((key, place), data)
            return first[1]

        return await self._blocks.get((key, offset), fetch)

    def shared_event(self, place: tuple[Key, int], make: Callable[[], LogEvent]) -> LogEvent:
        """Return the event that begins at a place of a log, made once for all."""
        event = self._events.known(place)
        if event is None:
            event = make()
            self._events.put(place, event)
        return event

    @property
    def is_closing(self) -> bool:
        """Whether readers are to end."""
        return self._closing

    async def _watch(self, key: Key, watched: _Watched) -> None:
        """Look for what is new, for as long as somebody reads and the log has not ended."""
        try:
            await self._watch_until_end(key, watched)
        finally:
            # Whatever went wrong, nobody waits for more.
            watched.ended = True
            watched.pulse.beat()

    async def _watch_until_end(self, key: Key, watched: _Watched) -> None:
        grown_at = time.monotonic()
        while not watched.ended:
            size = watched.size
            try:
                await self._look(key, watched)
                if time.monotonic() - grown_at > _SILENCE:
                    grown_at = time.monotonic()
                    watched.ended = await self._is_over(key)
            except TemporaryError as error:
                _log.warning("a log cannot be read: %s", error)
                await asyncio.sleep(_PAUSE_AFTER_ERROR)
                continue
            if watched.size > size:
                grown_at = time.monotonic()
            if watched.size > size or watched.ended:
                watched.pulse.beat()
            if watched.size == size or watched.size % BLOCK:  # there was no more
                await asyncio.sleep(_POLLED_EVERY)

    async def _look(self, key: Key, watched: _Watched) -> None:
        """Find out what is new, up to the next multiple of a block."""
        offset = watched.size
        limit = (offset // BLOCK + 1) * BLOCK - offset
        chunk = await self._threads.run(lambda: self._services.logs.read(*key, offset, limit=limit))
        if chunk.offset == offset:
            self._blocks.put((key, offset), chunk.data)
        watched.size = chunk.next_offset
        watched.ended = chunk.ended

    async def _is_over(self, key: Key) -> bool:
        """Tell whether nobody writes a log any more that has no end, because its worker died."""
        job_id, attempt = key
        job = await self._threads.run(lambda: self._services.queue.job(job_id))
        return job is None or job.state is JobState.DONE or job.attempt > attempt


@dataclass(frozen=True, eq=False)
class LogFollower:
    """One reader of one log."""

    logs: LiveLogs
    key: Key
    watched: _Watched

    async def read(self, offset: int, *, patience: float) -> bytes | None:
        """Return what comes from `offset` on, after at most `patience` seconds empty-handed.

        None is the end: nothing will follow, or the server ends.
        """
        deadline = time.monotonic() + patience
        while not self.logs.is_closing:
            if offset < self.watched.size:
                return await self._read(offset)
            if self.watched.ended:
                return None
            left = deadline - time.monotonic()
            if left <= 0:
                return b""
            await self.watched.pulse.wait(left)
        return None

    async def _read(self, offset: int) -> bytes | None:
        try:
            data = await self.logs.block(self.key, offset, self.watched.size)
        except TemporaryError:
            await asyncio.sleep(_PAUSE_AFTER_ERROR)
            return b""
        # There should be something: the log had to make room for others.
        return data or None


def _blocks(offset: int, data: bytes) -> list[tuple[int, bytes]]:
    """Return the parts of `data`, which begins at `offset`, that end at a multiple of a block."""
    first = BLOCK - offset % BLOCK
    parts = [(offset, data[:first])]
    parts += [(offset + at, data[at : at + BLOCK]) for at in range(first, len(data), BLOCK)]
    return parts
