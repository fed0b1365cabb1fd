"""A build's log on standard output, as it comes."""

from __future__ import annotations

import codecs
import os
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Protocol, Self

from caur_ci.cli.streams import output_error
from caur_ci.plaintext import for_terminal
from scheduler.job import JobState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scheduler.logs import LogChunk
    from scheduler.queue import QueueReader

_LOOKED_AT_EVERY = 0.5
# Whoever wrote the log may have died without an end: the queue is asked this often.
_ASKED_EVERY = 5.0
# What may be a part of a longer sequence is held back up to this length.
_LONGEST_LINE = 64 * 1024


class LogReader(Protocol):
    """What logs are read from."""

    def read(self, job_id: int, attempt: int, offset: int) -> LogChunk:
        """Return what was written from `offset` on."""
        ...


class NamedLog(Protocol):
    """Which attempt at which job a log is of."""

    @property
    def job_id(self) -> int: ...
    @property
    def attempt(self) -> int: ...


@dataclass
class LogOutput:
    """Writes a log to `stream`: as it is, or where that is a terminal, line by line and defused."""

    stream: BinaryIO
    is_terminal: bool
    _text: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")(errors="replace")
    )
    _line: str = ""

    @classmethod
    def standard(cls) -> Self:
        """Return that of this process."""
        sys.stdout.flush()
        return cls(sys.stdout.buffer, os.isatty(sys.stdout.fileno()))

    def write(self, data: bytes) -> None:
        """Write the next part of the log."""
        if not self.is_terminal:
            self.stream.write(data)
            self.stream.flush()
            return
        self._line += self._text.decode(data)
        whole, newline, rest = self._line.rpartition("\n")
        if len(rest) > _LONGEST_LINE:
            whole, newline, rest = self._line, "", ""
        self._line = rest
        self._show(whole + newline)

    def close(self) -> None:
        """Write what is left of a last line without end."""
        self._show(self._line + self._text.decode(b"", final=True))
        self._line = ""

    def _show(self, text: str) -> None:
        if text:
            self.stream.write(for_terminal(text).encode())
            self.stream.flush()


def follow_log(
    find: Callable[[], Sequence[NamedLog]],
    queue: QueueReader,
    store: LogReader,
    output: LogOutput,
    *,
    follow: bool,
) -> int:
    """Write the last of the logs that `find` finds, up to where it is, or with `follow` to its end.

    With `follow`, also wait for one to come. Returns how many bytes of its beginning are not to be
    had here.
    """
    while not (found := find()):
        time.sleep(_LOOKED_AT_EVERY)
    entry, offset, missing = found[-1], 0, 0
    asked = time.monotonic()
    while True:
        chunk = store.read(entry.job_id, entry.attempt, offset)
        output.write(chunk.data)
        missing += max(0, chunk.offset - offset)
        offset = chunk.next_offset
        if chunk.data and output_error() is None:
            continue
        if chunk.ended or not follow or output_error() is not None:
            break
        if time.monotonic() - asked >= _ASKED_EVERY:
            if not _is_being_built(queue, entry):
                break
            asked = time.monotonic()
        time.sleep(_LOOKED_AT_EVERY)
    output.close()
    return missing


def _is_being_built(queue: QueueReader, entry: NamedLog) -> bool:
    job = queue.job(entry.job_id)
    return job is not None and job.state is JobState.BUILDING and job.attempt == entry.attempt
