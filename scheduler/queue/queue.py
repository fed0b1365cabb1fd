"""The queue's public face."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from caur_ci.errors import InputError
from caur_ci.names import check_repository_name, check_worker_name
from scheduler.connection import redis_errors
from scheduler.job import FailureClass, JobState, OnRunning, Outcome
from scheduler.queue import keys, reader
from scheduler.queue.codec import (
    JobEncoder,
    check_request_id,
    decode_job,
    decode_removal,
    encode_job,
    encode_removal,
)
from scheduler.queue.control import QueueControl
from scheduler.queue.model import (
    PROTOCOL,
    Backoff,
    Claim,
    DrainedError,
    JobResult,
    Refusal,
    RemovalClaim,
    Renewal,
    Returned,
    StaleClaimError,
    Submission,
)
from scheduler.queue.reader import milliseconds
from scheduler.queue.views import seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from redis import Redis

    from scheduler.job import JobSpec, Removal
    from scheduler.queue.model import WorkerIdentity

T = TypeVar("T")

DEFAULT_LEASE = 60.0
_REAPED_AT_ONCE = 100
# As many as keep others waiting for a few milliseconds.
_RENEWED_AT_ONCE, _FINISHED_AT_ONCE = 250, 50
# What scripts answer.
_CLAIMED, _TO_END = 1, 2
_LOST, _CANCEL = -1, 1
# What a record that somebody else has written may lead to where it is read.
_MALFORMED = (InputError, ValueError, TypeError, KeyError, AttributeError, RecursionError)


class Queue(QueueControl):
    """One queue, in one Redis database. Safe to use from several threads.

    `lease` is the number of seconds a claim is held without being renewed.
    Every method raises TemporaryError when Redis is out of reach. A step whose answer got lost
    may be repeated: `submit`, `land`, `finish` and `finish_removal` have their effect once.
    """

    def __init__(
        self, redis: Redis, *, lease: float = DEFAULT_LEASE, backoff: Backoff | None = None
    ) -> None:
        super().__init__(redis)
        self._lease = milliseconds(lease)
        self._backoff = backoff or Backoff()

    def submit(
        self,
        request_id: str,
        jobs: Sequence[JobSpec],
        removals: Sequence[Removal] = (),
        *,
        on_running: OnRunning = OnRunning.FOLLOW,
    ) -> Submission:
        """Take the whole request in one step; when this returns, it is kept.

        Repeating a request id is harmless: it is told as `known` and nothing is done.
        A pending job of the same identity gets the new content and keeps its turn; a running one
        gets the new job as its successor, and with `on_running` CANCEL is asked to end. The
        removals come before the jobs of the same request. Jobs that cannot be accepted are refused
        one by one, the others are taken. A repository that no running service has registered is a
        reason to refuse a job, once any has registered some.

        Raises InputError for a request id or a removal that cannot be accepted, ProtocolError.
        """
        check_request_id(request_id)
        texts: dict[str, str] = {}
        taken: dict[str, JobSpec] = {}
        refused: list[Refusal] = []
        encode = JobEncoder()
        for job in jobs:
            identity = job.identity
            try:
                # Of several jobs for one identity the last one counts, at the turn of the first.
                texts[identity] = encode(job)
                taken[identity] = job
            except InputError as error:
                refused.append(Refusal(identity=identity, reason=error.message))
        bodies = [encode_removal(removal) for removal in removals]
        answer = self._run(
            "submit",
            PROTOCOL,
            request_id,
            on_running,
            len(bodies),
            *bodies,
            *texts.values(),
        )
        if answer[0]:
            return Submission(request_id=request_id, known=True, refused=tuple(refused))
        return _submission(request_id, answer[1:], list(taken.values()), refused)

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
            )
            return _claim_from(answer, worker)

        return self._blocking(worker.id, attempt, wait)

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

    def land(self, claim: Claim, delivery: str) -> JobState:
        """Tell that the packages of a built job are in the landing zone, under `delivery`.

        Returns LANDED, or DONE when the job was to be canceled: then the delivery is not wanted.
        Raises StaleClaimError.
        """
        answer = self._run("land", claim.job_id, claim.token, delivery)
        if not answer:
            raise stale(claim)
        return JobState(cast("bytes", answer).decode())

    def finish(
        self,
        claim: Claim,
        outcome: Outcome,
        reason: str = "",
        *,
        failure: FailureClass | None = None,
    ) -> None:
        """End the job, from building or from publishing, and let its dependants go.

        `failure` is the kind of failure where it was one. Raises StaleClaimError.
        """
        if self.finish_all([JobResult(claim, outcome, reason, failure)]):
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

    def claim_landed(
        self,
        runner: str,
        *,
        target_repos: Collection[str] | None = None,
        wait: float = 0.0,
        limit: int = 500,
    ) -> list[Claim]:
        """Take the jobs that are to be published, oldest delivery first, `limit` at the most.

        `runner` is the unique id of the process. None in `target_repos` means all of them.
        Waits up to `wait` seconds for a job or a removal to come. A job is held back while a
        removal that came before it is not finished: claim the removals first. A pause does not
        matter here. A job at which a runner was lost before comes alone.

        Raises DrainedError when the runner is to end, ProtocolError.
        """
        check_worker_name(runner)

        def attempt(block: float) -> tuple[float, list[Claim] | None]:
            status, *jobs = self._run(
                "claim_landed",
                PROTOCOL,
                runner,
                self._lease,
                milliseconds(block),
                limit,
                *(target_repos or ()),
            )
            if status == _TO_END:
                raise _drained(runner)
            claims = [claim for job in jobs if (claim := self._landed_claim(runner, job))]
            return block, claims if claims or status else None

        return self._blocking(runner, attempt, wait) or []

    def claim_removals(
        self, runner: str, *, target_repos: Collection[str] | None = None
    ) -> list[RemovalClaim]:
        """Take the removals that are to be carried out, oldest first.

        A removal is held back while an earlier job of its repository and architecture is being
        published.

        Raises ProtocolError.
        """
        answer = self._run(
            "claim_removals",
            PROTOCOL,
            check_worker_name(runner),
            self._lease,
            *(target_repos or ()),
        )
        return [claim for each in answer if (claim := self._removal_claim(runner, each))]

    def finish_removal(
        self,
        claim: RemovalClaim,
        *,
        removed: Sequence[str] = (),
        error: str = "",
        remark: str = "",
    ) -> None:
        """End a removal: `removed` are the bases that went, `error` why it failed.

        `remark` is what somebody should know about one that did not fail. Raises StaleClaimError.
        """
        outcome = Outcome.FAILED if error else Outcome.SUCCESS
        reason = error or (f"removed {', '.join(removed)}" if removed else "nothing to remove")
        reason = f"{reason}; {remark}" if remark else reason
        if not self._run("finish_removal", claim.removal_id, claim.token, int(outcome), reason):
            raise stale(claim)

    def hold_removal(self, claim: RemovalClaim, reason: str, *, remove: Sequence[str]) -> None:
        """Keep a removal back until somebody confirms it; then the bases in `remove` go.

        Of lists of those to keep, only the newest of a repository and architecture is kept back.
        Raises StaleClaimError.
        """
        confirmed = replace(claim.removal, remove=tuple(remove), keep=(), confirmed=True)
        body = encode_removal(confirmed)
        if not self._run("hold_removal", claim.removal_id, claim.token, reason, body):
            raise stale(claim)

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

    def _landed_claim(self, runner: str, job: Sequence[Any]) -> Claim | None:
        """Return the claim of a landed job; end a job whose record nobody can read."""
        job_id, token, _, _, delivery, spec, builder = job
        try:
            claim = _job_claim(
                runner, job, spec=spec, delivery=delivery.decode(), builder=builder.decode()
            )
            encode_job(claim.spec)
        except _MALFORMED as error:
            reason = f"its record in the queue cannot be used: {error}"
            failure = FailureClass.INFRASTRUCTURE
            self._run("finish", job_id, token, int(Outcome.SOFTWARE_FAILURE), reason, failure)
            return None
        return claim

    def _removal_claim(self, runner: str, answer: Sequence[Any]) -> RemovalClaim | None:
        """Return the claim of a removal; end one whose record nobody can read."""
        removal_id, token, attempt, until, body = answer
        try:
            removal = decode_removal(body)
            encode_removal(removal)
        except _MALFORMED as error:
            reason = f"its record in the queue cannot be used: {error}"
            outcome = int(Outcome.SOFTWARE_FAILURE)
            self._run("finish_removal", removal_id, token, outcome, reason)
            return None
        return RemovalClaim(
            removal_id=int(removal_id),
            token=token,
            attempt=attempt,
            owner=runner,
            lease_until=seconds(until),
            removal=removal,
        )

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


def _ids(text: bytes) -> tuple[int, ...]:
    return tuple(map(int, text.split(b","))) if text else ()


def _submission(
    request_id: str, answer: Sequence[bytes], asked: Sequence[JobSpec], refused: list[Refusal]
) -> Submission:
    *ids, unknown_targets, unknown_sources = map(_ids, answer)
    jobs, replaced, successors, removals, canceled = ids
    for place in unknown_targets:
        job = asked[place - 1]
        refused.append(_unknown_repository(job, f"target repository {job.target_repo}"))
    for place in unknown_sources:
        job = asked[place - 1]
        refused.append(_unknown_repository(job, f"source repository {job.source_repo}"))
    return Submission(
        request_id=request_id,
        jobs=jobs,
        replaced=replaced,
        successors=successors,
        removals=removals,
        canceled=canceled,
        refused=tuple(refused),
    )


def _unknown_repository(job: JobSpec, repository: str) -> Refusal:
    return Refusal(identity=job.identity, reason=f"no running service knows the {repository}")


def _claim_from(answer: Sequence[Any], worker: WorkerIdentity) -> tuple[float, Claim | None]:
    """Return how long to wait for a job, and the claim if there is one."""
    status, *rest = answer
    if status == _TO_END:
        raise _drained(worker.id)
    if status == _CLAIMED:
        return 0, _job_claim(worker.id, rest, spec=rest[4])
    return seconds(rest[0]), None


def _drained(worker: str) -> DrainedError:
    return DrainedError(
        f"{worker} was asked to end and gets no more jobs",
        hint="Somebody called `caur-ci queue drain`; start it again to go on.",
    )


def _job_claim(
    owner: str, answer: Sequence[Any], *, spec: bytes, delivery: str = "", builder: str = ""
) -> Claim:
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
