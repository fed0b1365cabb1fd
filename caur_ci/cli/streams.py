"""Standard output and error of the process, whose failures do not break off the work.

What is half done because nobody could be told of it is worse than what nobody was told of. So a
command goes on when its output cannot be written, and the process says at its end that it could
not: a full disk is an error, a reader that is gone (`caur-ci … | head`) is none.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_DESCRIPTORS = {1: "stdout", 2: "stderr"}


class Stream(io.FileIO):
    """A descriptor that takes everything, and remembers why it could not be written."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self.error: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        """Write some of `data`, or all of it nowhere once that has failed."""
        try:
            while self.error is None:
                written = super().write(data)
                if written is not None:
                    return written
                select.select([], [self], [])  # somebody made it non-blocking
        except OSError as error:
            self.error = error
        return memoryview(data).nbytes


def take_over() -> None:
    """Let `sys.stdout` and `sys.stderr` write through `Stream`.

    Standard descriptors that the process was started without lead nowhere, before a file or a
    socket gets their number. Characters that the encoding does not have become question marks.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= max(_DESCRIPTORS):
        pass
    os.close(descriptor)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8")  # noqa: SIM115 - a descriptor, to the end
    for number, name in _DESCRIPTORS.items():
        before = getattr(sys, name)
        stream = Stream(number)
        text = io.TextIOWrapper(
            io.BufferedWriter(stream),
            encoding=before.encoding if before else "utf-8",
            errors="replace",
            line_buffering=number == 2 or stream.isatty(),
        )
        setattr(sys, name, text)


def output_error() -> OSError | None:
    """Return why standard output cannot be written, if it cannot."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return raw.error if isinstance(raw, Stream) else None


def lost_output(*, also_unread: bool = False) -> str:
    """Write what is left; return why something of it is lost, or nothing.

    A reader that has gone away has what it wanted: that counts with `also_unread` only.
    """
    sys.stdout.flush()
    error = output_error()
    if error is None or (error.errno == errno.EPIPE and not also_unread):
        return ""
    return os.strerror(error.errno or errno.EIO)
