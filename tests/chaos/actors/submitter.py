"""Hands its requests over, each until it is acknowledged, also in a later life."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tests.chaos.actors.actor import Actor
from tests.chaos.journal import read_journals
from tests.chaos.workload import Request, workload

if TYPE_CHECKING:
    from scheduler.queue import Submission

_DOOM = 0.15
_SAYS_IT_TWICE = 0.15


def main() -> None:
    """Submit whatever no earlier generation has got acknowledged."""
    actor = Actor(doom=_DOOM)
    slot = int(actor.part.removeprefix("submitter"))
    if slot == actor.generation == 0:
        # No run is so short that nobody dies while submitting.
        actor.doom = 1.0
    acknowledged = {
        word.told["request"]
        for word in read_journals(actor.folder, f"{actor.part}-*")
        if word.kind == "submit" and word.is_accepted
    }
    for request in workload(actor.settings)[slot]:
        if request.id in acknowledged:
            continue
        time.sleep(actor.chance.uniform(0, 2 * actor.settings.pace))
        _submit(actor, request)
        if actor.chance.random() < _SAYS_IT_TWICE:
            _submit(actor, request)


def _submit(actor: Actor, request: Request) -> None:
    actor.retry_while_held(
        "submit",
        lambda: actor.queue.submit(
            request.id, request.jobs, request.removals, on_running=request.on_running
        ),
        {"request": request.id},
        result=_told,
    )


def _told(submission: Submission) -> dict[str, Any]:
    return {
        "known": submission.known,
        "jobs": submission.jobs,
        "removals": submission.removals,
        "refused": [refusal.reason for refusal in submission.refused],
    }


if __name__ == "__main__":
    main()
