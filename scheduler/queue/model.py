"""What the queue hands out and takes back."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from caur_ci.errors import CaurError
from caur_ci.names import check_worker_name

if TYPE_CHECKING:
    from scheduler.job import JobSpec, Outcome, Removal, State

DEFAULT_WORKER_CLASS = 2


class StaleClaimError(CaurError):
    """The claim is no longer held: its lease ran out, or the job went to somebody else.

    What was said with it had no effect. The holder stops its work on the job at once.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerIdentity:
    """One running worker.

    It builds the numeric classes up to `build_class`, and the text class that is its `name`.
    `id` is unique to the process: a restarted worker is another one.
    """

    id: str
    name: str
    build_class: int = DEFAULT_WORKER_CLASS

    @classmethod
    def new(cls, name: str, build_class: int = DEFAULT_WORKER_CLASS) -> Self:
        """Return an identity nobody else has, for the worker called `name`.

        Raises NameNotAllowedError.
        """
        return cls(
            id=f"{check_worker_name(name)}-{secrets.token_hex(5)}",
            name=name,
            build_class=build_class,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to build or to publish one job, for as long as the lease is renewed.

    `token` rises with every claim that is ever given out, whatever the job. `attempt` counts the
    times that this job was handed out to be built. `lease_until` is Unix time by the clock of the
    Redis server. `delivery` is what `Queue.land` was told, empty while the job is being built.
    """

    job_id: int
    token: int
    attempt: int
    owner: str
    lease_until: float
    spec: JobSpec
    delivery: str = ""

    @property
    def identity(self) -> str:
        """`target_repo/arch/pkgbase`."""
        return self.spec.identity


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalClaim:
    """The right to carry out one removal, for as long as the lease is renewed."""

    removal_id: int
    token: int
    attempt: int
    owner: str
    lease_until: float
    removal: Removal


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """The answer to a renewed lease. With `cancel` the holder is asked to stop and say so."""

    lease_until: float
    cancel: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A job that the queue did not take, and why."""

    identity: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What became of a request.

    `known`: a request of this id was taken before, so that nothing was done this time.
    `jobs` are the ids of the jobs that were taken, in the order given; `replaced` those of them
    that had been pending and kept their turn, `successors` those that wait for the running job
    of the same identity. `canceled` are earlier jobs that the request's removals ended or asked
    to end. `refused` jobs are not in the queue.
    """

    request_id: str
    known: bool = False
    jobs: tuple[int, ...] = ()
    replaced: tuple[int, ...] = ()
    successors: tuple[int, ...] = ()
    removals: tuple[int, ...] = ()
    canceled: tuple[int, ...] = ()
    refused: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """A job or removal whose lease ran out, and the state it was put into."""

    id: int
    identity: str
    state: State
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change in the queue.

    `kind` is one of submitted, replaced, ready, blocked, claimed, landed, publishing, done,
    returned, expired, cancel, cycle, removal. `id` is its place in the stream, for
    `Queue.events(after=…)`.
    Times are Unix times by the clock of the Redis server; 0 where they do not apply.
    """

    id: str
    kind: str
    time: float
    job_id: int
    identity: str
    state: State | None
    outcome: Outcome | None = None
    worker: str = ""
    attempt: int = 0
    build_class: str = ""
    reason: str = ""
    request_id: str = ""
    submitted: float = 0.0
    started: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerView:
    """A worker or database runner that was heard of lately; `build_class` 0 is a runner."""

    id: str
    name: str
    build_class: int
    seen: float
    jobs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """A job as it stands. `reason` says why it waits, or why it ended as it did."""

    job_id: int
    identity: str
    state: State
    build_class: str
    attempt: int = 0
    worker: str = ""
    outcome: Outcome | None = None
    reason: str = ""
    submitted: float = 0.0
    started: float = 0.0
    landed: float = 0.0
    finished: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSnapshot:
    """The queue at one instant, each list in order of turn and cut at the limit asked for.

    The totals count everything. `recent` has the newest result first.
    """

    time: float
    workers: tuple[WorkerView, ...]
    active: tuple[JobView, ...]
    ready: tuple[JobView, ...]
    waiting: tuple[JobView, ...]
    recent: tuple[JobView, ...]
    total_active: int
    total_ready: int
    total_waiting: int
    total_removals: int
