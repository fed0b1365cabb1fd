"""Stays with one process of a step until it has ended, or has to."""

from __future__ import annotations

import os
import re
import selectors
import threading
import time
from typing import TYPE_CHECKING

from scheduler.worker.executors.protocol import Stop

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from scheduler.job import Usage
    from scheduler.worker.executors.protocol import Watch

_ASKED_EVERY = 0.2
_DRAINED_WITHIN = 2.0
_READ_SIZE = 256 * 1024
_COLLECTED = 16 * 1024 * 1024
_SHOWN = 16 * 1024


def follow(
    process: subprocess.Popen[bytes],
    watch: Watch,
    *,
    usage: Callable[[], Usage],
    end: Callable[[], None],
) -> Stop | None:
    """Pass on what `process` prints until it has ended; return why it was stopped, if it was.

    `end` is called once, in a thread of its own, to make it end.
    """
    assert process.stdout is not None  # noqa: S101 - a pipe, for the type checker
    stopped: Stop | None = None
    ending: threading.Thread | None = None
    source = process.stdout.fileno()
    last_look: float | None = None
    with selectors.DefaultSelector() as selector:
        selector.register(source, selectors.EVENT_READ)
        while last_look is None or time.monotonic() < last_look:
            if selector.select(_ASKED_EVERY):
                data = os.read(source, _READ_SIZE)
                if not data:
                    break
                watch.output(data)
            if last_look is None and process.poll() is not None:
                # Something that got away may have the pipe for ever.
                last_look = time.monotonic() + _DRAINED_WITHIN
            if stopped is None and (stopped := watch.why_stop(usage())) is not None:
                # What it still prints has to go somewhere, or an engine waits for that.
                ending = threading.Thread(target=end, name="ending a step", daemon=True)
                ending.start()
    if ending is not None:
        ending.join()
    return stopped


def say(watch: Watch, text: str) -> None:
    """Tell something of ours among what a step prints."""
    watch.output(f"==> caur-ci: {text}\n".encode())


class CollectingWatch:
    """A watch that keeps what a step prints instead of showing it.

    A step that prints more than `limit` bytes is ended.
    """

    def __init__(self, watch: Watch, *, limit: int = _COLLECTED) -> None:
        self._watch = watch
        self._limit = limit
        self._is_full = False
        self.data = bytearray()

    def output(self, data: bytes) -> None:
        """Keep `data`, if there is room."""
        self._is_full = self._is_full or len(self.data) + len(data) > self._limit
        if not self._is_full:
            self.data += data

    def lines(self) -> list[str]:
        """Return what was printed, line by line."""
        return self.data.decode(errors="replace").splitlines()

    def why_stop(self, usage: Usage) -> Stop | None:
        """Ask the watch that looks after the build."""
        return Stop.OUTPUT if self._is_full else self._watch.why_stop(usage)


class Shown:
    """A watch that keeps the end of what a step prints while it is shown."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._tail = bytearray()

    def output(self, data: bytes) -> None:
        """Show `data`."""
        self._watch.output(data)
        self._tail += data[-_SHOWN:]
        del self._tail[:-_SHOWN]

    def why_stop(self, usage: Usage) -> Stop | None:
        """Ask the watch that looks after the build."""
        return self._watch.why_stop(usage)

    def last_error(self) -> str:
        """Return the last line that tells of an error, or else the last one."""
        lines = [line for line in self._tail.decode(errors="replace").splitlines() if line.strip()]
        errors = [line for line in lines if re.search(r"\berror\b", line, re.IGNORECASE)]
        told = [*lines[-1:], *errors[-1:]] or ["see the log"]
        return "".join(char if char.isprintable() else "?" for char in told[-1])[:300]
