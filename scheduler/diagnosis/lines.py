"""Reads logs line by line, whatever they hold, in memory that does not grow with them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from caur_ci.plaintext import printable
from scheduler.diagnosis.model import LogLine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scheduler.diagnosis.model import LogReader

# Enough for the one long line of ours, which tells all installed packages.
LONGEST_LINE = 64 * 1024
_SHOWN = 400
_READ_SIZE = 1024 * 1024
_SEQUENCES = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.")

# A line's number from 1 on, the byte that it begins at, and what a reader sees of it.
RawLine = tuple[int, int, str]


def read_log(logs: LogReader, job_id: int, attempt: int) -> Iterator[RawLine]:
    """Yield the lines of the log of an attempt, as far as it is there.

    Where its beginning is gone, lines are counted from where it is there; offsets stay true.
    """
    first = logs.read(job_id, attempt, 0, limit=1)
    yield from read_lines(_chunks(logs, job_id, attempt, first.offset), first.offset)


def _chunks(logs: LogReader, job_id: int, attempt: int, offset: int) -> Iterator[bytes]:
    while True:
        chunk = logs.read(job_id, attempt, offset, limit=_READ_SIZE)
        if not chunk.data:
            return
        yield chunk.data
        offset = chunk.next_offset


def read_lines(chunks: Iterable[bytes], start: int = 0) -> Iterator[RawLine]:
    """Yield the lines of a log from the byte `start` on, in whatever portions it comes.

    Of a line that is longer than `LONGEST_LINE`, the beginning stands for all of it.
    """
    number, length, rest = 1, 0, b""
    for chunk in chunks:
        *ended, begun = chunk.split(b"\n")
        for part in ended:
            yield number, start, _seen(rest + part[:LONGEST_LINE])
            start += length + len(part) + 1
            number, length, rest = number + 1, 0, b""
        length += len(begun)
        rest = (rest + begun[:LONGEST_LINE])[:LONGEST_LINE]
    if rest:
        yield number, start, _seen(rest)


def shown(line: RawLine) -> LogLine:
    """Return a line as it may be shown to people."""
    number, offset, text = line
    text = printable(text[:_SHOWN].expandtabs()).replace("\n", " ").rstrip()
    return LogLine(number, offset, text)


def _seen(raw: bytes) -> str:
    """Return what somebody sees of a line on a terminal."""
    raw = raw[:LONGEST_LINE]
    if b"\x1b" in raw:
        raw = _SEQUENCES.sub(b"", raw)
    if b"\r" in raw:
        # Each part was written over by the next one.
        parts = [part for part in raw.split(b"\r") if part.strip()]
        raw = parts[-1] if parts else b""
    return raw.decode("utf-8", "replace")
