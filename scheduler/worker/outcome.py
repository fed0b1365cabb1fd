"""How builds end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scheduler.job import FailureClass, Outcome
from scheduler.queue import BuildNotes
from scheduler.worker.executors.protocol import Stop

if TYPE_CHECKING:
    from scheduler.landing import Manifest

_ALREADY_BUILT_CODE = 13  # E_ALREADY_BUILT of makepkg
_MAY_PASS = frozenset(
    {
        FailureClass.SOURCE_MISSING,
        FailureClass.MISSING_DEPENDENCY,
        FailureClass.CHECK,
        FailureClass.OUT_OF_MEMORY,
        FailureClass.DISK_FULL,
        FailureClass.STALLED,
    }
)
_TIMED_OUT_CODE = 124  # as timeout(1) ends


@dataclass(frozen=True, slots=True)
class BuildResult:
    """How a build ended: with an outcome and its reason, or with a manifest of what to deliver.

    `failure` is the kind of failure where it was one, `stopped` says that it did not end by
    itself. `notes` are what else is known of it.
    """

    outcome: Outcome
    reason: str = ""
    failure: FailureClass | None = None
    manifest: Manifest | None = None
    stopped: Stop | None = None
    notes: BuildNotes = field(default_factory=BuildNotes)

    @property
    def is_retried_later(self) -> bool:
        """Whether the package can do nothing for it, so that it is to be tried again."""
        return self.failure is FailureClass.INFRASTRUCTURE

    @property
    def may_pass(self) -> bool:
        """Whether the same build may go well another time, though it is the package's failure."""
        return self.failure in _MAY_PASS

    @property
    def may_be_the_workers_fault(self) -> bool:
        """Whether it has to be looked at what state the worker is in."""
        return self.failure in {FailureClass.INFRASTRUCTURE, FailureClass.DISK_FULL}


def failed(failure: FailureClass, reason: str) -> BuildResult:
    """Return the end of a build that failed."""
    outcome = Outcome.FAILED
    if failure is FailureClass.INFRASTRUCTURE:
        outcome = Outcome.SOFTWARE_FAILURE
    return BuildResult(outcome, reason, failure)


def unfit(reason: str) -> BuildResult:
    """Return the end of a build that came to nothing because its worker cannot work."""
    return BuildResult(
        Outcome.SOFTWARE_FAILURE, reason, FailureClass.INFRASTRUCTURE, stopped=Stop.UNFIT
    )


def from_exit_code(code: int, *, skip_code: int) -> BuildResult | None:
    """Return the end that an exit code stands for by agreement, None where it stands for none."""
    if code == skip_code:
        return BuildResult(Outcome.SKIPPED, "the package asked to be skipped")
    if code == _ALREADY_BUILT_CODE:
        return BuildResult(Outcome.ALREADY_BUILT, "makepkg found it built already")
    if code == _TIMED_OUT_CODE:
        return BuildResult(Outcome.TIMED_OUT, "the package ended itself as timed out")
    return None
