"""Hands build requests over to the queue. The one place of the pipelines that knows the queue.

A request that the queue has taken is acknowledged: it leaves the outbox. A hand-over that dies in
between is repeated by the next one, which does no harm, because the queue remembers request ids.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError
from scheduler.job import OnRunning, jobs_of, removals_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from caur_ci.git import Identity
    from caur_ci.pipeline.shared.memory.branch import Memory
    from caur_ci.pipeline.shared.refs import RefSnapshot, SharedRepository
    from caur_ci.request import BuildRequest
    from scheduler.queue import Queue, Submission

# How often the outbox is read again because another run changed it first.
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class HandOver:
    """What the queue said to each request, and why the outbox still holds them, if it does.

    `memory` is what branch `caur` held, where the requests came from there.
    """

    submissions: tuple[Submission, ...]
    acknowledge_error: str = ""
    memory: Memory | None = None


def hand_over(queue: Queue, requests: Iterable[BuildRequest]) -> HandOver:
    """Submit `requests` in their order, each as one step that is kept or not."""
    return HandOver(tuple(_submit(queue, request) for request in requests if not request.is_empty))


def hand_over_outbox(
    queue: Queue,
    shared: SharedRepository,
    *,
    identity: Identity,
    push_options: Collection[str],
) -> HandOver:
    """Submit every request of the outbox, then take those that the queue has out of it.

    Where the outbox cannot be written, the requests are submitted all the same and the result
    says so: the next hand-over finds them again.
    """
    done: dict[str, Submission] = {}
    memory = None
    for _ in range(_ATTEMPTS):
        snapshot = shared.snapshot()
        memory = shared.memory(snapshot)
        for request in memory.outbox.requests:
            if request.request_id not in done:
                done[request.request_id] = _submit(queue, request)
        try:
            if acknowledge(
                shared, snapshot, done.keys(), identity=identity, push_options=push_options
            ):
                return HandOver(tuple(done.values()), memory=memory)
        except CaurError as error:
            return HandOver(tuple(done.values()), error.message, memory)
    problem = "other runs changed branch `caur` first each time"
    return HandOver(tuple(done.values()), problem, memory)


def acknowledge(
    shared: SharedRepository,
    snapshot: RefSnapshot,
    request_ids: Collection[str],
    *,
    identity: Identity,
    push_options: Collection[str],
) -> bool:
    """Take requests that the queue has acknowledged out of the outbox.

    Tells whether branch `caur` was still as in `snapshot`; if not, nothing was changed. Raises
    GitError where it cannot be written.
    """
    memory = shared.memory(snapshot).acknowledged(request_ids)
    updates = shared.memory_update(snapshot, memory, identity)
    return not updates or shared.push(updates, push_options)


def _submit(queue: Queue, request: BuildRequest) -> Submission:
    return queue.submit(
        request.request_id,
        jobs_of(request),
        removals_of(request),
        on_running=OnRunning(request.on_running),
    )
