"""Giving back to the queue what cannot be done now."""

from __future__ import annotations

import errno
from contextlib import suppress
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, TemporaryError
from scheduler.queue import StaleClaimError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scheduler.heartbeat import Heartbeat
    from scheduler.queue import Claim, Queue, RemovalClaim

_SHOWN = 300


def hand_back(
    queue: Queue, claims: Iterable[Claim | RemovalClaim], heartbeat: Heartbeat, reason: str
) -> None:
    """Return claims to the queue."""
    for claim in claims:
        # What is finished already, or somebody else's by now, does not come back.
        with suppress(StaleClaimError):
            heartbeat.retry_while_held(claim, _releasing(queue, claim, reason))


def count_loss(queue: Queue, claims: Iterable[Claim], heartbeat: Heartbeat, reason: str) -> None:
    """Return claims to the queue with a mark: each is published alone, and not for ever."""
    for claim in claims:
        with suppress(StaleClaimError):
            heartbeat.retry_while_held(claim, _retrying(queue, claim, reason))


def unforeseen(error: Exception) -> str:
    """Return the words for an error that nobody expected, and that costs a delivery."""
    return f"caur-ci cannot deal with it ({type(error).__name__}: {str(error)[:_SHOWN]})"


def told(error: CaurError | OSError) -> str:
    """Return what an error says, with what to do about it, for a job that waits because of it."""
    hint = _hint(error)
    return f"{error} ({hint.rstrip('.')})" if hint else str(error)


def temporary(target_repo: str, arch: str, error: CaurError | OSError) -> TemporaryError:
    """Return what to raise for trouble with a repository that may pass."""
    return TemporaryError(f"{target_repo}/{arch}: {error}", hint=_hint(error))


def _hint(error: CaurError | OSError) -> str:
    if isinstance(error, CaurError):
        return error.hint
    # The error of a write names no file.
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "Make room in REPO_PATH and in the landing zone."
    return ""


def _retrying(queue: Queue, claim: Claim, reason: str) -> Callable[[], object]:
    return lambda: queue.retry_later(claim, reason)


def _releasing(queue: Queue, claim: Claim | RemovalClaim, reason: str) -> Callable[[], None]:
    return lambda: queue.release(claim, reason)
