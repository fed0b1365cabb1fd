"""A build's log on its way to Redis."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Protocol, Self

from caur_ci.errors import TemporaryError
from scheduler.worker.masking import Masker

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from scheduler.logs import LogStore
    from scheduler.queue import Claim

_log = logging.getLogger(__name__)

# Sent when one of these is reached, and all that is kept while Redis is out of reach.
_PORTION = 64 * 1024
_DELAY = 0.25
_KEPT = 8 * 1024 * 1024
_RETRY_AFTER = 2.0
_CUT = b"\n==> caur-ci: part of the log is missing here: Redis was out of reach\n"


class BuildLog(Protocol):
    """Where a build writes to."""

    def write(self, data: bytes) -> None:
        """Add output as it is."""
        ...

    def say(self, text: str) -> None:
        """Add a line of ours."""
        ...

    def tick(self) -> None:
        """Send on what waits, if it is time to. Called often."""
        ...


class JobLog:
    """Collects what a build prints and sends it on in portions, without secrets.

    A log that cannot be sent never ends a build.
    """

    def __init__(self, store: LogStore, claim: Claim, *, secrets: Iterable[str] = ()) -> None:
        """Mask `secrets`, and what looks like one; see Masker."""
        self._store = store
        self._claim = claim
        self._masker = Masker(secrets)
        self._fresh = bytearray()
        self._waiting = bytearray()
        self._next_send = 0.0
        self._started = False
        self._full = False

    def write(self, data: bytes) -> None:
        """Add output as it is."""
        if self._full:
            return
        self._fresh += data
        if len(self._fresh) >= _PORTION:
            self.flush()

    def say(self, text: str) -> None:
        """Add a line of our own."""
        self.write(f"==> caur-ci: {text}\n".encode())

    def tick(self) -> None:
        """Send what waits if it is time to. To be called often."""
        if (self._fresh or self._waiting) and time.monotonic() >= self._next_send:
            self.flush()

    def flush(self) -> None:
        """Send what waits, unless Redis was out of reach a moment ago."""
        self._mask()
        now = time.monotonic()
        if self._next_send - now > _DELAY:
            return
        try:
            self._send()
            self._next_send = now + _DELAY
        except TemporaryError as error:
            _log.warning("the log of %s waits: %s", self._claim.identity, error)
            self._next_send = now + _RETRY_AFTER

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._mask()
            self._waiting += self._masker.close()
            self._send()
            self._store.finish(self._claim.job_id, self._claim.attempt)
        except TemporaryError as problem:
            _log.warning("the end of the log of %s is lost: %s", self._claim.identity, problem)

    def _mask(self) -> None:
        """Let what is fresh wait, without secrets. A part of one would not be known any more."""
        self._waiting += self._masker.feed(bytes(self._fresh))
        self._fresh.clear()
        if len(self._waiting) > _KEPT:
            del self._waiting[: len(self._waiting) - _KEPT // 2]
            self._waiting[:0] = _CUT

    def _send(self) -> None:
        claim = self._claim
        if not self._started:
            self._store.start(claim.job_id, claim.attempt, claim.identity)
            self._started = True
        if self._waiting:
            self._full = not self._store.append(claim.job_id, claim.attempt, bytes(self._waiting))
            self._waiting.clear()
