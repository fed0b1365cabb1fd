"""Delivers a finished build to the landing zone; a failed try is repeated, the build is not."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError
from scheduler.files import NotAFileError
from scheduler.job import FailureClass, Outcome
from scheduler.landing import DeliveryError, DeliveryStoppedError, SignedManifest
from scheduler.worker.executors.protocol import Stop
from scheduler.worker.outcome import BuildResult, failed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scheduler.landing import Landing, Manifest
    from scheduler.worker.joblog import JobLog
    from scheduler.workerkeys import WorkerKey

_log = logging.getLogger(__name__)

_LOOK_AROUND = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """For how many seconds something is tried again, with pauses that grow."""

    total: float
    first_pause: float = 1.0
    longest_pause: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryClient:
    """Brings what was built to the landing zone."""

    landing: Landing
    key: WorkerKey
    retry_policy: RetryPolicy

    def deliver(
        self, manifest: Manifest, output: Path, log: JobLog, why_stop: Callable[[], Stop | None]
    ) -> BuildResult | None:
        """Deliver; return a result only if that failed or became pointless.

        A worker that is to end goes through with the try that it is at.
        """
        for file in manifest.files:
            log.say(f"delivering {file.name} ({file.size} bytes, sha256 {file.sha256})")
        log.flush()
        began, pause = time.monotonic(), self.retry_policy.first_pause
        try:
            signed = SignedManifest.sign(manifest, self.key)
            while (error := self._try(signed, output, why_stop)) is not None:
                if time.monotonic() - began >= self.retry_policy.total:
                    return failed(FailureClass.INFRASTRUCTURE, f"the landing zone: {error}")
                self._say(log, manifest, error, pause)
                stop = _wait(pause, why_stop)
                if stop is not None:
                    return BuildResult(Outcome.CANCELED, stop.value, stopped=stop)
                pause = min(2 * pause, self.retry_policy.longest_pause)
        except (DeliveryError, NotAFileError) as problem:
            return failed(FailureClass.PACKAGING, problem.message)
        except CaurError as problem:
            return failed(FailureClass.INFRASTRUCTURE, problem.message)
        return None

    def _try(
        self, signed: SignedManifest, output: Path, why_stop: Callable[[], Stop | None]
    ) -> CaurError | OSError | None:
        """Deliver, or return why that did not work."""
        try:
            self.landing.deliver(
                signed, output, should_stop=lambda: why_stop() in {Stop.LOST, Stop.CANCELED}
            )
        except (DeliveryError, NotAFileError):
            raise
        except (CaurError, OSError) as error:
            return error
        return None

    def _say(
        self, log: JobLog, manifest: Manifest, error: CaurError | OSError, pause: float
    ) -> None:
        if isinstance(error, DeliveryStoppedError):
            return
        hint = f" {error.hint}" if isinstance(error, CaurError) and error.hint else ""
        _log.warning("delivery %s: %s%s", manifest.delivery, error, hint)
        log.say(f"not delivered yet, next try in {pause:g} s: {error}")
        log.flush()


def _wait(seconds: float, why_stop: Callable[[], Stop | None]) -> Stop | None:
    until = time.monotonic() + seconds
    while (stop := why_stop()) is None and (left := until - time.monotonic()) > 0:
        time.sleep(min(left, _LOOK_AROUND))
    return stop
