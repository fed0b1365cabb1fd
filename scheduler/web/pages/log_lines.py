"""Logs by lines: where each line is, without a whole log in memory.

A log is bytes, and may have a hundred million of them, or a line of ten. An index counts the lines
in each block of it, once; then any line is found by reading one block.
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_left
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.web.pages.ansi import line_text, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from scheduler.logs import LogChunk

    # Returns the bytes from an offset on, at most as many as asked for.
    Read: TypeAlias = Callable[[int, int], LogChunk]

BLOCK = 256 * 1024
# Of one line, this much is shown.
LONGEST_LINE = 8 * 1024
# What one answer holds at the most, in bytes of the log.
_LARGEST_PART = 1024 * 1024
_BLOCKS_AT_ONCE = 8
_SEARCHED_AT_ONCE = 32 * 1024 * 1024
_KEPT_INDEXES = 64
_MOST_HEADINGS = 200
_LONGEST_HEADING = 400
_SHOWN_MATCH = 400
_SEQUENCE = re.compile(rb"\x1b\[[0-9;]*m")
# What makepkg and the builder say about where a build is, colours aside.
_HEADING = re.compile(
    rb"^(?:\x1b\[[0-9;]*m)*==>(?:\x1b\[[0-9;]*m| )*([^\r\n]{1,300})", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line, numbered from 1; `left_out` bytes of it are not in `text`."""

    number: int
    text: str
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Heading:
    """A line that says what the build is doing."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Match:
    """A line that holds what was searched for."""

    line: int
    text: str


class LineIndex:
    """Where the lines of one log are; it grows with the log. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # How many lines have ended before each block.
        self._before = [0]
        self._ended_lines = 0
        self._size = 0
        self._last_break = 0
        self._begun = b""
        self.ended = False
        self.headings: list[Heading] = []

    @property
    def size(self) -> int:
        """How many bytes are known."""
        return self._size

    @property
    def total(self) -> int:
        """How many lines are known, the last one also where it has not ended."""
        return self._ended_lines + (self._size > self._last_break)

    def extend(self, read: Read) -> None:
        """Count what was written since."""
        with self._lock:
            # Also of a log that had ended: an attempt that was handed back goes on in it.
            while True:
                # To the end of a block, so that blocks begin where they should.
                chunk = read(self._size, _BLOCKS_AT_ONCE * BLOCK - self._size % BLOCK)
                self.ended = chunk.ended
                if not chunk.data:
                    return
                rest = chunk.data
                while rest:
                    end = BLOCK - self._size % BLOCK
                    self._count(rest[:end])
                    rest = rest[end:]

    def _count(self, data: bytes) -> None:
        self._note_headings(data)
        self._ended_lines += data.count(b"\n")
        if (found := data.rfind(b"\n")) >= 0:
            self._last_break = self._size + found + 1
        self._size += len(data)
        if self._size % BLOCK == 0:
            self._before.append(self._ended_lines)

    def _note_headings(self, data: bytes) -> None:
        """Note what is in lines that have ended; the beginning of the last one is kept for then."""
        text = self._begun + data
        end = text.rfind(b"\n") + 1
        self._begun = text[end : end + _LONGEST_HEADING]
        if len(self.headings) >= _MOST_HEADINGS or b"==>" not in text:
            return
        for found in _HEADING.finditer(text, 0, end):
            words = plain(line_text(found[1])).strip()
            if words and len(self.headings) < _MOST_HEADINGS:
                line = self._ended_lines + text.count(b"\n", 0, found.start()) + 1
                self.headings.append(Heading(line, words))

    def lines(self, read: Read, first: int, count: int) -> list[LogLine]:
        """Return up to `count` lines from the number `first` on; fewer where they are long."""
        found: list[LogLine] = []
        read_bytes = 0
        for number, content, left_out in self._walk(read, first):
            found.append(LogLine(number, line_text(content), left_out))
            read_bytes += len(content)
            if len(found) >= count or read_bytes >= _LARGEST_PART:
                break
        return found

    def search(
        self, read: Read, text: str, first: int, *, limit: int
    ) -> tuple[list[Match], int | None]:
        """Return lines that hold `text`, whatever the case of its letters, from `first` on.

        With them comes the line at which to go on, None at the end of the log. Colours may change
        between words. Of long lines, the beginning is looked at.
        """
        wanted = text.encode().lower()
        found: list[Match] = []
        start, number, size = self._place_of(first)
        offset, begun = start, b""
        while offset < size:
            chunk = read(offset, min(BLOCK, size - offset))
            if not chunk.data:
                break
            offset += len(chunk.data)
            part = begun + chunk.data
            end = len(part) if offset >= size else part.rfind(b"\n") + 1
            part, begun = part[:end], part[end : end + LONGEST_LINE]
            if not _holds(part, wanted):  # most do not, and then there is no need to look closer
                number += part.count(b"\n")
            else:
                for line in part.removesuffix(b"\n").split(b"\n"):
                    if number >= first and _holds(line, wanted):
                        found.append(Match(number, plain(line_text(line[:_SHOWN_MATCH]))))
                    number += 1
                    if len(found) >= limit:
                        return found, number if number <= self.total else None
            if offset - start >= _SEARCHED_AT_ONCE:
                return found, number if offset < size else None
        return found, None

    def _place_of(self, line: int) -> tuple[int, int, int]:
        """Return where to begin to read for a line, which line that is in, and the log's size."""
        with self._lock:
            # The last block that begins before the line does.
            block = max(0, bisect_left(self._before, line - 1) - 1)
            return block * BLOCK, self._before[block] + 1, self._size

    def _walk(self, read: Read, first: int) -> Iterator[tuple[int, bytes, int]]:
        """Yield number and content of the lines from `first` on, and how much was left out."""
        offset, number, size = self._place_of(first)
        begun, length = bytearray(), 0
        while offset < size:
            chunk = read(offset, min(BLOCK, size - offset))
            if not chunk.data:
                return
            offset += len(chunk.data)
            *ended, rest = chunk.data.split(b"\n")
            for part in ended:
                begun += part[: max(0, LONGEST_LINE - len(begun))]
                length += len(part)
                if number >= first:
                    yield number, bytes(begun), length - len(begun)
                number += 1
                begun.clear()
                length = 0
            begun += rest[: max(0, LONGEST_LINE - len(begun))]
            length += len(rest)
        if length and number >= first:
            yield number, bytes(begun), length - len(begun)


def _holds(content: bytes, wanted: bytes) -> bool:
    """Tell whether `wanted`, in small letters, is in what somebody sees of `content`."""
    lower = content.lower()
    if wanted in lower:
        return True
    # Most text does not have all the words, which takes less time to find out.
    if b"\x1b" not in content or any(word not in lower for word in wanted.split()):
        return False
    return wanted in _SEQUENCE.sub(b"", lower)


class LineIndexes:
    """The indexes of the logs that were looked at lately."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[int, int], LineIndex] = OrderedDict()

    def of(self, job_id: int, attempt: int) -> LineIndex:
        """Return the index of a log, a new one where nobody has looked lately."""
        with self._lock:
            index = self._kept.setdefault((job_id, attempt), LineIndex())
            self._kept.move_to_end((job_id, attempt))
            while len(self._kept) > _KEPT_INDEXES:
                self._kept.popitem(last=False)
            return index

    def forget(self, job_id: int, attempt: int) -> None:
        """Drop the index of a log that is there no more."""
        with self._lock:
            self._kept.pop((job_id, attempt), None)
