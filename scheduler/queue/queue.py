"""The queue's public face."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from redis import Redis

    from scheduler.job import JobSpec, Outcome, Removal, State
    from scheduler.queue.model import (
        Claim,
        Event,
        QueueSnapshot,
        RemovalClaim,
        Renewal,
        Returned,
        Submission,
        WorkerIdentity,
    )

DEFAULT_LEASE = 60.0


class Queue:
    """One queue, in one Redis database. Safe to use from several threads.

    `lease` is the number of seconds a claim is held without being renewed.
    Every method raises TemporaryError when Redis is out of reach.
    """

    def __init__(self, redis: Redis, *, lease: float = DEFAULT_LEASE) -> None:
        self._redis = redis
        self._lease = lease

    def submit(
        self, request_id: str, jobs: Sequence[JobSpec], removals: Sequence[Removal] = ()
    ) -> Submission:
        """Take the whole request in one step; when this returns, it is kept.

        Repeating a request id is harmless: it is told as `known` and nothing is done.
        A pending job of the same identity gets the new content and keeps its turn; a running one
        gets the new job as its successor. The removals come before the jobs of the same request.
        """
        raise NotImplementedError

    def claim(self, worker: WorkerIdentity, *, wait: float = 0.0) -> Claim | None:
        """Take the oldest ready job that `worker` may build; wait up to `wait` seconds for one."""
        raise NotImplementedError

    def renew(self, claim: Claim | RemovalClaim) -> Renewal:
        """Hold the claim for another lease. Raises StaleClaimError when it is lost."""
        raise NotImplementedError

    def land(self, claim: Claim, delivery: str) -> State:
        """Tell that the packages of a built job are in the landing zone, under `delivery`.

        Returns LANDED, or DONE when the job was to be canceled: then the delivery is not wanted.
        Raises StaleClaimError.
        """
        raise NotImplementedError

    def finish(self, claim: Claim, outcome: Outcome, reason: str = "") -> None:
        """End the job, from building or from publishing, and let its dependants go.

        Raises StaleClaimError.
        """
        raise NotImplementedError

    def release(self, claim: Claim | RemovalClaim, reason: str = "") -> None:
        """Hand the job back as it was before the claim, at its old turn, without a mark against it.

        Raises StaleClaimError.
        """
        raise NotImplementedError

    def claim_landed(
        self,
        runner: str,
        *,
        target_repos: Collection[str] | None = None,
        wait: float = 0.0,
        limit: int = 500,
    ) -> list[Claim]:
        """Take all jobs that are to be published, oldest delivery first.

        `runner` is the unique id of the process. None in `target_repos` means all of them.
        Waits up to `wait` seconds for a job or a removal to come. A job is held back while a
        removal that came before it is not finished: claim the removals first.
        """
        raise NotImplementedError

    def claim_removals(
        self, runner: str, *, target_repos: Collection[str] | None = None
    ) -> list[RemovalClaim]:
        """Take the removals that are to be carried out, oldest first.

        A removal is held back while an earlier job of its repository and architecture is being
        published.
        """
        raise NotImplementedError

    def finish_removal(
        self, claim: RemovalClaim, *, removed: Sequence[str] = (), error: str = ""
    ) -> None:
        """End a removal: `removed` are the bases that went, `error` why it failed.

        Raises StaleClaimError.
        """
        raise NotImplementedError

    def reap(self) -> list[Returned]:
        """Take back what is held under leases that ran out.

        Every worker and runner calls this from time to time. A job whose builds were lost five
        times ends as SOFTWARE_FAILURE.
        """
        raise NotImplementedError

    def snapshot(self, *, limit: int = 100) -> QueueSnapshot:
        """Return the queue at this instant, at most `limit` jobs of each kind."""
        raise NotImplementedError

    def events(self, after: str = "0", *, block: float = 0.0, limit: int = 1000) -> list[Event]:
        """Return the events that came after the event id `after`, oldest first.

        With `block`, wait up to that many seconds for the first one.
        """
        raise NotImplementedError

    def last_event_id(self) -> str:
        """Return the id of the newest event, to follow the queue from now on."""
        raise NotImplementedError
