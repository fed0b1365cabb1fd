"""A log on its way to a reader: as bytes, as text that grows, or as events.

Offsets are always in bytes of the log.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from scheduler.web.streaming.live_logs import LogEvent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scheduler.history import PastLog
    from scheduler.web.streaming.live_logs import LiveLogs, LogFollower

# Proxies cut connections on which nothing happens.
_SAID_EVERY = 25.0
# "String terminator", where no string has begun: terminals ignore it, and what strips colours
# strips it as well.
KEEP_ALIVE = b"\x1b\\"

_LONGEST_CHARACTER = 4


async def as_bytes(logs: LiveLogs, log: PastLog, first: int, end: int) -> AsyncIterator[bytes]:
    """Yield the bytes of a log from `first` up to `end`, which are there already."""
    async with logs.follow(log) as follower:
        while first < end:
            data = await follower.read(first, patience=_SAID_EVERY)
            if data is None:
                return
            yield data[: end - first]
            first += len(data)


async def as_text(logs: LiveLogs, log: PastLog, offset: int) -> AsyncIterator[bytes]:
    """Yield a log from `offset` on until it ends; when it is quiet, something nobody sees."""
    async with logs.follow(log) as follower:
        while (data := await follower.read(offset, patience=_SAID_EVERY)) is not None:
            yield data or KEEP_ALIVE
            offset += len(data)


async def as_events(logs: LiveLogs, log: PastLog, offset: int) -> AsyncIterator[bytes]:
    """Yield a log from `offset` on as events, of which each says where to go on.

    `{"offset": …, "text": …}` has whole characters, and no more than a block of them; what is no
    UTF-8 is replaced. The last event is `end`, and comes where the log has ended.
    """
    async with logs.follow(log) as follower:
        while (text := await _characters(follower, offset)) is not None:
            if text:
                event = logs.shared_event((follower.key, offset), partial(_event, offset, text))
                yield event.data
                offset = event.next_offset
        if not logs.is_closing:
            yield f'event: end\nid: {offset}\ndata: {{"offset":{offset}}}\n\n'.encode()


async def _characters(follower: LogFollower, offset: int) -> bytes | None:
    """Return bytes from `offset` on that do not end within a character; None is the end."""
    data = b""
    while more := await follower.read(offset + len(data), patience=_SAID_EVERY):
        data += more
        whole = len(data) - _cut_off(data)
        if whole:
            return data[:whole]
    if more is None and not follower.logs.is_closing:
        return data or None  # the log ends in the middle of a character
    return more


def _cut_off(data: bytes) -> int:
    """Return how many bytes at the end are the beginning of a character."""
    for length in range(1, min(_LONGEST_CHARACTER, len(data) + 1)):
        byte = data[-length]
        if byte < 0x80:
            return 0
        if byte >= 0xC0:
            needed = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return length if length < needed else 0
    return 0


def _event(offset: int, data: bytes) -> LogEvent:
    said = {"offset": offset, "text": data.decode(errors="replace")}
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    next_offset = offset + len(data)
    return LogEvent(f"id: {next_offset}\ndata: {text}\n\n".encode(), next_offset)
