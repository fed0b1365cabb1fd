"""What workers do with the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from scheduler.job import JobState
from scheduler.queue.leases import LeaseHolder, drained, job_claim, stale
from scheduler.queue.model import PROTOCOL
from scheduler.queue.notes import encode_notes
from scheduler.queue.reader import milliseconds
from scheduler.queue.views import seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler.queue.model import Claim, WorkerIdentity
    from scheduler.queue.notes import BuildNotes

# What `claim` answers.
_CLAIMED, _TO_END = 1, 2


class Building(LeaseHolder):
    """The worker's side of the queue."""

    def claim(self, worker: WorkerIdentity, *, wait: float = 0.0) -> Claim | None:
        """Take the first ready job that `worker` may build; wait up to `wait` seconds for one.

        Promoted jobs come first, then the oldest. A pause looks like an empty queue.

        Raises DrainedError when the worker is to end, ProtocolError.
        """

        def attempt(block: float) -> tuple[float, Claim | None]:
            answer = self._run(
                "claim",
                PROTOCOL,
                worker.id,
                worker.name,
                worker.build_class,
                self._lease,
                milliseconds(block),
                " ".join(worker.architectures),
            )
            return _claim_from(answer, worker)

        return self._blocking(worker.id, attempt, wait)

    def land(self, claim: Claim, delivery: str, *, notes: BuildNotes | None = None) -> JobState:
        """Tell that the packages of a built job are in the landing zone, under `delivery`.

        Returns LANDED, or DONE when the job was to be canceled: then the delivery is not wanted.
        Raises StaleClaimError.
        """
        answer = self._run("land", claim.job_id, claim.token, delivery, encode_notes(notes))
        if not answer:
            raise stale(claim)
        return JobState(cast("bytes", answer).decode())


def _claim_from(answer: Sequence[Any], worker: WorkerIdentity) -> tuple[float, Claim | None]:
    """Return how long to wait for a job, and the claim if there is one."""
    status, *rest = answer
    if status == _TO_END:
        raise drained(worker.id)
    if status == _CLAIMED:
        return 0, job_claim(
            worker.id, rest, spec=rest[4], group=rest[5], needs_staged=bool(rest[6])
        )
    return seconds(rest[0]), None
