"""Tells what became of removals that a command asked for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from caur_ci.errors import ExitCode, TemporaryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caur_ci.cli.session import Session
    from scheduler.queue import Event, Queue

_CONFIRM_HINT = (
    "`caur-ci auto-repo-remove --target-repo NAME --confirm` carries it out, --dismiss forgets it."
)


def report_removals(
    session: Session, queue: Queue, ids: Sequence[int], *, after: str, wait: float
) -> int:
    """Wait for removals if that was asked for, tell what became of them, and which are held.

    `after` is the id of the newest event before they were asked for, `wait` is in seconds. Returns
    the exit code. Raises TemporaryError where they did not end in time.
    """
    ended = _wait_for(queue, ids, after, wait)
    for event in ended:
        session.out.print(f"removal {event.job_id}: {event.reason}", markup=False)
    held = [view for view in queue.removals() if view.held]
    for view in held:
        session.warn(f"removal {view.removal_id} from {view.scope} is held back: {view.reason}")
    if held:
        session.note(_CONFIRM_HINT)
    if any(event.outcome for event in ended):
        return ExitCode.FAILED
    if wait and any(view.removal_id in ids for view in held):
        return ExitCode.PARTIAL
    if wait and len(ended) < len(ids):
        raise TemporaryError(f"the removal was not done within {wait:g} s; it stays in the queue")
    return ExitCode.OK


def _wait_for(queue: Queue, ids: Sequence[int], after: str, wait: float) -> list[Event]:
    """Return the events that end the removals, of those that end in time and are not held back."""
    deadline = time.monotonic() + wait
    ended: list[Event] = []
    while True:
        left = deadline - time.monotonic()
        for event in queue.events(after, block=max(0.0, left)):
            after = event.id
            if event.kind == "removal" and event.job_id in ids and event.outcome is not None:
                ended.append(event)
        held = [view for view in queue.removals() if view.held and view.removal_id in ids]
        if left <= 0 or len(ended) + len(held) >= len(ids):
            return ended
