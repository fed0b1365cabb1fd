"""Ctrl-C ends a command at once, whatever it is at."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

_EXIT_CODE = 130
# How long a command may take to put things in order. It may hang in a call that no exception ends,
# such as the search for a server's address, or wait for a thread that does.
_PATIENCE = 1.5


def end_silently() -> None:
    """End at the first Ctrl-C: while modules are loaded there is nothing to put in order."""
    # A process that was started in the background takes no notice of it.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def raise_soon() -> None:
    """Let Ctrl-C raise KeyboardInterrupt, and end the process if that does not do it."""
    if signal.getsignal(signal.SIGINT) is not _end:
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    threading.Thread(target=_watch, args=(reader,), name="interruption", daemon=True).start()
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def leave_to_handlers() -> None:
    """Let signals have no effect but that of their handlers, for those who end in an order."""
    signal.set_wakeup_fd(-1)


def _watch(reader: int) -> None:
    """Wait for Ctrl-C, which Python writes here even while the main thread is in a long call."""
    while signal.SIGINT not in os.read(reader, 64):
        pass
    time.sleep(_PATIENCE)
    _end(signal.SIGINT, None)


def _end(_number: int, _frame: FrameType | None) -> None:
    with suppress(OSError):
        os.write(2, b"error: interrupted\n")
    os._exit(_EXIT_CODE)
