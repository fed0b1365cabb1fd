"""Looks after a build while its steps run: the log, the time, the disk, signs of life."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, Self

from scheduler.job import FailureClass, Outcome
from scheduler.worker.executors.protocol import Stop
from scheduler.worker.outcome import BuildResult

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scheduler.job import Usage
    from scheduler.worker.joblog import BuildLog

_TAIL = 64 * 1024
_MEBIBYTE = 1024 * 1024
# Of one processor. Whatever waits in a loop uses a little time, too.
_BUSY_SHARE = 0.01
_OUTCOMES = {
    Stop.TIMEOUT: Outcome.TIMED_OUT,
    Stop.STALLED: Outcome.TIMED_OUT,
    Stop.DISK_FULL: Outcome.FAILED,
    Stop.OUTPUT: Outcome.FAILED,
}


class BuildWatch:
    """The watch over one build.

    It is over `limit` seconds after `began`, by the clock of time.monotonic. `stall` is the number
    of seconds without output or work after which a build is ended, `min_free` how many MiB have to
    be free where `folder` is.
    """

    def __init__(
        self,
        *,
        log: BuildLog,
        should_stop: Callable[[], Stop | None],
        folder: Path,
        began: float,
        limit: int,
        stall: int,
        min_free: int,
    ) -> None:
        self._log = log
        self._should_stop = should_stop
        self._folder = folder
        self._deadline = began + limit
        self.limit = limit
        self._stall = stall
        self._min_free = min_free
        self._tail = bytearray()
        self._alive_at = time.monotonic()
        self._used_then: float | None = None

    def with_limit(self, limit: int) -> Self:
        """Return a watch over the same build that is over `limit` seconds from now."""
        return type(self)(
            log=self._log,
            should_stop=self._should_stop,
            folder=self._folder,
            began=time.monotonic(),
            limit=limit,
            stall=self._stall,
            min_free=self._min_free,
        )

    def new_step(self) -> None:
        """Begin another step."""
        self._tail.clear()
        self._is_alive(None)

    @property
    def tail(self) -> str:
        """The end of what the step at hand has printed."""
        return self._tail.decode(errors="replace")

    def output(self, data: bytes) -> None:
        """Take what a step prints; see `Watch.output`."""
        self._log.write(data)
        self._tail += data[-_TAIL:]
        del self._tail[:-_TAIL]
        self._is_alive(None)

    def why_stop(self, usage: Usage) -> Stop | None:
        """Tell whether the step has to be ended; see `Watch.why_stop`."""
        self._log.tick()
        stop = self._should_stop()
        if stop is not None:
            return stop
        now = time.monotonic()
        if now >= self._deadline:
            return Stop.TIMEOUT
        if self.disk_is_full():
            return Stop.DISK_FULL
        return Stop.STALLED if self._is_stalled(now, usage.cpu_seconds) else None

    def result_of(self, stop: Stop) -> BuildResult:
        """Return the end of a build that was stopped for this reason."""
        reason, failure = stop.value, None
        if stop is Stop.TIMEOUT:
            reason = f"it took longer than {self.limit} s"
        elif stop is Stop.STALLED:
            reason, failure = f"{reason} for {self._stall} s", FailureClass.STALLED
        elif stop is Stop.DISK_FULL:
            reason = f"{reason}: less than {self._min_free} MiB are left"
            failure = FailureClass.DISK_FULL
        outcome = _OUTCOMES.get(stop, Outcome.CANCELED)
        return BuildResult(outcome, reason, failure, stopped=stop)

    def disk_is_full(self) -> bool:
        """Tell whether less is free than there should be."""
        return shutil.disk_usage(self._folder).free < self._min_free * _MEBIBYTE

    def _is_stalled(self, now: float, used: float | None) -> bool:
        if used is None:  # nobody knows whether it works
            return False
        if self._used_then is None or used < self._used_then:
            self._used_then = used
        elif used - self._used_then >= _BUSY_SHARE * self._stall:
            self._is_alive(used)
        return now - self._alive_at >= self._stall

    def _is_alive(self, used: float | None) -> None:
        self._alive_at = time.monotonic()
        self._used_then = used
