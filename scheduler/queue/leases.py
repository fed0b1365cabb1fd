"""What workers and the database runner have in common: claims, held for as long as they renew."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar, cast

from caur_ci.names import check_repository_name
from scheduler.connection import redis_errors
from scheduler.job import JobState
from scheduler.queue import keys, reader
from scheduler.queue.codec import decode_job
from scheduler.queue.model import (
    Backoff,
    Claim,
    DrainedError,
    JobResult,
    Renewal,
    Returned,
    StaleClaimError,
)
from scheduler.queue.notes import BuildNotes, encode_notes
from scheduler.queue.reader import QueueReader, milliseconds
from scheduler.queue.views import seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from redis import Redis

    from scheduler.job import FailureClass, Outcome
    from scheduler.queue.model import RemovalClaim

T = TypeVar("T")

DEFAULT_LEASE = 60.0
_REAPED_AT_ONCE = 100
# As many as keep others waiting for a few milliseconds.
_RENEWED_AT_ONCE, _FINISHED_AT_ONCE = 250, 50
# What `renew` answers.
_LOST, _CANCEL = -1, 1


class LeaseHolder(QueueReader):
    """One who holds claims, each for `lease` seconds without being renewed."""

    def __init__(
        self, redis: Redis, *, lease: float = DEFAULT_LEASE, backoff: Backoff | None = None
    ) -> None:
        super().__init__(redis)
        self._lease = milliseconds(lease)
        self._backoff = backoff or Backoff()

    def renew(self, claim: Claim | RemovalClaim) -> Renewal:
        """Hold the claim for another lease. Raises StaleClaimError when it is lost."""
        (renewal,) = self.renew_all([claim])
        if renewal is None:
            raise stale(claim)
        return renewal

    def renew_all(self, claims: Sequence[Claim | RemovalClaim]) -> list[Renewal | None]:
        """Hold claims for another lease, many in one round trip; None for each that is lost."""
        renewals: list[Renewal | None] = []
        for some in _batches(claims, _RENEWED_AT_ONCE):
            references = [part for claim in some for part in _reference(claim)]
            until, *states = self._run("renew", self._lease, *references)
            renewals += [
                Renewal(lease_until=seconds(until), cancel=state == _CANCEL)
                if state != _LOST
                else None
                for state in states
            ]
        return renewals

    def finish(
        self,
        claim: Claim,
        outcome: Outcome,
        reason: str = "",
        *,
        failure: FailureClass | None = None,
        notes: BuildNotes | None = None,
    ) -> None:
        """End the job, from building or from publishing, and let its dependants go.

        `failure` is the kind of failure where it was one. Raises StaleClaimError.
        """
        if self.finish_all([JobResult(claim, outcome, reason, failure, notes or BuildNotes())]):
            raise stale(claim)

    def finish_all(self, results: Sequence[JobResult]) -> list[Claim]:
        """Do `finish` for many jobs in one round trip; return the claims that were stale.

        Repeated as a whole it has its effect once, however much of it was done before.
        """
        lost = []
        for some in _batches(results, _FINISHED_AT_ONCE):
            endings = [
                part
                for result in some
                for part in (
                    result.claim.job_id,
                    result.claim.token,
                    int(result.outcome),
                    result.reason,
                    result.failure or "",
                    encode_notes(result.notes),
                )
            ]
            answer = self._run("finish", *endings)
            lost += [result.claim for result, ended in zip(some, answer, strict=True) if not ended]
        return lost

    def release(self, claim: Claim | RemovalClaim, reason: str = "") -> None:
        """Hand the job back as it was before the claim, at its old turn, without a mark against it.

        A job that was to be canceled ends instead, and one for which a newer request waits gives
        way to it. Raises StaleClaimError.
        """
        if not self._run("release", *_reference(claim), reason):
            raise stale(claim)

    def retry_later(self, claim: Claim, reason: str) -> JobState:
        """Hand back a job that could not be built or published through no fault of its own.

        It is counted and kept back for a while like one that was lost with its worker, see
        Backoff. Returns the state it is in now, DONE if it is in quarantine or was to be canceled.
        Raises StaleClaimError.
        """
        answer = self._run("release", *_reference(claim), reason, *self._delays())
        if not answer:
            raise stale(claim)
        return JobState(cast("bytes", answer).decode())

    def reap(self) -> list[Returned]:
        """Take back what is held under leases that ran out.

        Every worker and runner calls this from time to time. A job whose build or publication was
        lost is not handed out again at once; one that was lost too often ends as
        SOFTWARE_FAILURE, in quarantine. See Backoff.
        """
        values = self._run("reap", _REAPED_AT_ONCE, *self._delays())
        answer = [value.decode(errors="replace") for value in values]
        return [
            Returned(id=int(id_), identity=identity, state=JobState(state), reason=reason)
            for id_, identity, state, reason in zip(*[iter(answer)] * 4, strict=True)
        ]

    def leave(self, worker: str) -> None:
        """Forget a worker or runner that ends and holds nothing any more."""
        self._run("leave", worker)

    def register(self, *, targets: Collection[str] = (), sources: Collection[str] = ()) -> None:
        """Tell which repositories the caller works for.

        Services do so when they start and every now and then: what was not named for 30 days is
        forgotten.
        """
        names = [check_repository_name(name) for name in (*targets, *sources)]
        self._run("register", len(targets), *names)

    def _delays(self) -> list[int]:
        return [milliseconds(delay) for delay in self._backoff.delays()]

    def _blocking(
        self, waiter: str, attempt: Callable[[float], tuple[float, T | None]], wait: float
    ) -> T | None:
        """Repeat `attempt` until it has a result or `wait` is over, blocked on hints in between.

        It is told how long that would be at most, and says how long it should be.
        """
        deadline = time.monotonic() + wait
        while True:
            block = min(deadline - time.monotonic(), reader.LONGEST_BLOCK)
            if block < reader.SHORTEST_BLOCK:
                return attempt(0)[1]
            block, result = attempt(block)
            if result is not None:
                return result
            with redis_errors():
                self._redis.blpop([keys.hint(waiter)], timeout=max(block, reader.SHORTEST_BLOCK))


def _batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[first : first + size] for first in range(0, len(items), size))


def drained(worker: str) -> DrainedError:
    """Return the error that says that the worker or runner is to end."""
    return DrainedError(
        f"{worker} was asked to end and gets no more jobs",
        hint="Somebody called `caur-ci queue drain`; start it again to go on.",
    )


def job_claim(
    owner: str,
    answer: Sequence[Any],
    *,
    spec: bytes,
    delivery: str = "",
    builder: str = "",
    group: bytes = b"",
    needs_staged: bool = False,
) -> Claim:
    """Return the claim that a script has answered with: id, token, attempt, end of the lease."""
    job_id, token, attempt, until = answer[:4]
    return Claim(
        job_id=int(job_id),
        token=int(token),
        attempt=int(attempt),
        owner=owner,
        lease_until=seconds(until),
        spec=decode_job(spec),
        delivery=delivery,
        builder=builder,
        group=group.decode().rpartition("/")[2],
        needs_staged=needs_staged,
    )


def _reference(claim: Claim | RemovalClaim) -> tuple[str, int, int]:
    if isinstance(claim, Claim):
        return "job", claim.job_id, claim.token
    return "removal", claim.removal_id, claim.token


def stale(claim: Claim | RemovalClaim) -> StaleClaimError:
    """Return the error that says that the claim is lost."""
    what = claim.identity if isinstance(claim, Claim) else f"the removal {claim.removal_id}"
    return StaleClaimError(
        f"{claim.owner} does not hold {what} any more",
        hint="Its lease ran out, or it went to somebody else; the work on it is to be stopped.",
    )
