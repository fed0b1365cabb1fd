"""Whatever a log holds, and however often a reader comes back: every byte once."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.history import PastLog
from scheduler.logs import LogChunk
from scheduler.web.services import WebServices
from scheduler.web.streaming import live_logs
from scheduler.web.streaming.live_logs import BLOCK, LiveLogs
from scheduler.web.streaming.log_streams import as_events, as_text
from scheduler.web.streaming.threads import Threads

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    import pytest

# What makes trouble: characters of several bytes, cut off and wrong ones, ends of lines.
PIECES = st.sampled_from(["a", "line\r\n", "ä", "€", "😀", "\x1b[31m", "\r", "\n", "\x00"]).map(
    str.encode
) | st.binary(max_size=3)
LOGS = st.lists(PIECES, max_size=30).map(b"".join)


class MemoryLogs:
    """A log that grows by some bytes whenever somebody has looked."""

    def __init__(self, data: bytes, steps: Sequence[int]) -> None:
        self._data = data
        self._steps = list(steps)
        self._size = 0
        self.reads = 0

    @property
    def entry(self) -> PastLog:
        ended = self._size == len(self._data) and not self._steps
        return PastLog(job_id=1, attempt=1, started=0.0, size=self._size, ended=ended)

    def read(self, _job_id: int, _attempt: int, offset: int = 0, *, limit: int) -> LogChunk:
        self.reads += 1
        data = self._data[offset : min(self._size, offset + limit)]
        end = offset + len(data)
        if end == self._size:
            self._size = min(len(self._data), self._size + (self._steps or [BLOCK]).pop())
        return LogChunk(data=data, next_offset=end, ended=end == len(self._data))


def live(logs: MemoryLogs) -> LiveLogs:
    services = WebServices(queue=cast("Any", None), logs=cast("Any", logs))
    return LiveLogs(services, Threads(4))


async def some_events(
    logs: MemoryLogs, hub: LiveLogs, offset: int, number: int
) -> tuple[str, int, bool]:
    """Read some events from an offset on; return their text, where to go on, whether it ended."""
    text = ""
    async with aclosing(cast("Any", as_events(hub, logs.entry, offset))) as events:
        async for event in cast("AsyncIterator[bytes]", events):
            head, _, rest = event.decode().partition("\ndata: ")
            if head.startswith("event: end"):
                return text, offset, True
            data = json.loads(rest)
            assert data["offset"] == offset
            text += data["text"]
            offset = int(head.removeprefix("id: "))
            number -= 1
            if not number:
                break
    return text, offset, False


@given(
    data=LOGS,
    steps=st.lists(st.integers(0, 7), max_size=6),
    leaves_after=st.lists(st.integers(1, 3), min_size=1, max_size=5),
)
@settings(max_examples=40)
def test_a_reader_who_comes_back_again_and_again(
    data: bytes, steps: list[int], leaves_after: list[int]
) -> None:
    async def read() -> str:
        logs = MemoryLogs(data, steps)
        hub = live(logs)
        text, offset, ended, turn = "", 0, False, 0
        while not ended:
            number = leaves_after[turn % len(leaves_after)]
            more, offset, ended = await some_events(logs, hub, offset, number)
            text, turn = text + more, turn + 1
        assert offset == len(data)
        assert not hub._watched
        return text

    with_quick_looks = live_logs._POLLED_EVERY
    live_logs._POLLED_EVERY = 0.0
    try:
        assert asyncio.run(read()) == data.decode(errors="replace")
    finally:
        live_logs._POLLED_EVERY = with_quick_looks


def test_many_readers_cost_one_read_of_each_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_logs, "_POLLED_EVERY", 0.0)
    data = bytes(range(256)) * (16 * BLOCK // 256)

    async def read_all() -> tuple[list[bytes], int]:
        logs = MemoryLogs(data, [])
        logs.read(1, 1, limit=0)
        hub = live(logs)

        async def read() -> bytes:
            parts = [part async for part in as_text(hub, logs.entry, 0)]
            return b"".join(parts)

        return await asyncio.gather(*(read() for _ in range(40))), logs.reads

    found, reads = asyncio.run(read_all())

    assert found == [data] * 40
    assert reads < 40


def test_a_log_that_had_to_make_room_ends() -> None:
    async def read() -> bytes:
        logs = MemoryLogs(b"", [])
        entry = PastLog(job_id=1, attempt=1, started=0.0, size=4, ended=True)
        return b"".join([part async for part in as_text(live(logs), entry, 0)])

    assert asyncio.run(read()) == b""


def test_nobody_waits_for_a_log_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    async def read() -> bytes:
        logs = MemoryLogs(b"text", [])
        entry = logs.entry
        monkeypatch.setattr(logs, "read", lambda *_, **__: 1 / 0)
        parts = [part async for part in as_text(live(logs), replace(entry, ended=False), 0)]
        return b"".join(parts)

    assert asyncio.run(read()) == b""


def test_a_log_that_goes_on_after_its_end_is_followed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_logs, "_POLLED_EVERY", 0.0)

    async def read() -> bytes:
        logs = MemoryLogs(b"begin, and more", [3])
        hub = live(logs)
        ended = PastLog(job_id=1, attempt=1, started=0.0, size=5, ended=True)
        logs.read(1, 1, limit=0)
        async with hub.follow(ended):
            parts = [part async for part in as_text(hub, replace(ended, ended=False), 0)]
        return b"".join(parts)

    assert asyncio.run(read()) == b"begin, and more"
