"""Readers of logs, as quick as they can be: they count and check what they are sent."""

from __future__ import annotations

import asyncio
import json
import time
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

_AT_ONCE = 256 * 1024


@dataclass
class Received:
    """What a reader has been sent of a log: how many bytes, and their checksum."""

    size: int = 0
    checksum: int = 0

    def add(self, data: bytes) -> None:
        """Take the next bytes of the log."""
        self.size += len(data)
        self.checksum = zlib.crc32(data, self.checksum)


async def read_text(address: str, path: str) -> Received:
    """Read a log as text until it ends."""
    reader, writer = await _asked(address, f"{path}?follow=true")
    received = Received()
    try:
        while data := await reader.read(_AT_ONCE):
            received.add(data.replace(b"\x1b\\", b""))
    finally:
        writer.close()
    return received


async def read_events(address: str, path: str) -> Received:
    """Read a log as events until it ends; each has to go on where the one before ended."""
    reader, writer = await _asked(address, f"{path}/events")
    received = Received()
    try:
        while line := await reader.readline():
            if line.startswith(b"data: "):
                event = json.loads(line[6:])
                if event["offset"] != received.size:
                    raise ValueError(f"an event is of {event['offset']}, not {received.size}")
                received.add(event.get("text", "").encode())
    finally:
        writer.close()
    return received


async def ask(address: str, path: str) -> float:
    """Return how many seconds an answer takes. Raises ValueError for one that is no good."""
    started = time.perf_counter()
    _, writer = await _asked(address, path)
    writer.close()
    return time.perf_counter() - started


async def _asked(address: str, path: str) -> tuple[StreamReader, StreamWriter]:
    """Return a connection of which the headers of the answer have been read."""
    parts = urlsplit(address)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=2**24)
    # Without chunks: the answer ends with the connection.
    writer.write(f"GET {path} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n")[0]:
        raise ValueError(f"{path}: {head[:100]!r}")
    return reader, writer
