"""What the queue hands out and takes back."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from caur_ci.architectures import DEFAULT_ARCHITECTURE
from caur_ci.names import check_architecture, check_worker_name
from scheduler.job import Usage
from scheduler.queue.notes import BuildNotes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scheduler.job import FailureClass, JobSpec, JobState, Outcome, Removal
    from scheduler.queue.rebuild_groups import GroupView

DEFAULT_WORKER_CLASS = 2

# What a program and a queue have to agree on: the layout of the data, and who does what. A queue of
# the protocols before this one is taken over by the first program that comes.
PROTOCOL = 5

# A job, by its id, or a package, by the identity `target_repo/arch/pkgbase`.
JobReference = int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """What happens to a job that gets lost with its worker or runner, or fails because of it.

    Builds and publications are counted apart.

    After the n-th loss it is not handed out for `first` times `factor` to the power of n-1
    seconds, `longest` at the most. The loss number `losses` is the last: the job goes into
    quarantine.
    """

    first: float = 10.0
    factor: float = 4.0
    longest: float = 1800.0
    losses: int = 5

    def delays(self) -> list[float]:
        """Return the delay after each loss, in seconds."""
        return [min(self.longest, self.first * self.factor**n) for n in range(self.losses)]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerIdentity:
    """One running worker.

    It builds the numeric classes up to `build_class`, and the text class that is its `name`, for
    `architectures`. `id` is unique to the process: a restarted worker is another one.
    """

    id: str
    name: str
    build_class: int = DEFAULT_WORKER_CLASS
    architectures: tuple[str, ...] = (DEFAULT_ARCHITECTURE,)

    @classmethod
    def new(
        cls,
        name: str,
        build_class: int = DEFAULT_WORKER_CLASS,
        architectures: Sequence[str] = (DEFAULT_ARCHITECTURE,),
    ) -> Self:
        """Return an identity nobody else has, for the worker called `name`.

        Raises NameNotAllowedError.
        """
        return cls(
            id=f"{check_worker_name(name)}-{secrets.token_hex(5)}",
            name=name,
            build_class=build_class,
            architectures=tuple(map(check_architecture, architectures)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to build or to publish one job, for as long as the lease is renewed.

    `token` rises with every claim that is ever given out, whatever the job. `attempt` counts the
    times that this job was handed out to be built. `lease_until` is Unix time by the clock of the
    Redis server. `delivery` is what `Queue.land` was told, and `builder` the id of the worker that
    had the job then, both empty while it is being built. `group` is the name of its rebuild group,
    if it is in one: then it is built with what is staged there, and with `needs_staged` something
    that it depends on is.
    """

    job_id: int
    token: int
    attempt: int
    owner: str
    lease_until: float
    spec: JobSpec
    delivery: str = ""
    builder: str = ""
    group: str = ""
    needs_staged: bool = False

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


@dataclass(frozen=True, slots=True)
class JobResult:
    """How the job of a claim ended; `failure` is the kind of failure where it was one."""

    claim: Claim
    outcome: Outcome
    reason: str = ""
    failure: FailureClass | None = None
    notes: BuildNotes = field(default_factory=BuildNotes)


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
    state: JobState
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change in the queue.

    `id` is its place in the stream, for `Queue.events(after=…)`. Times are Unix times by the
    clock of the Redis server; 0 where they do not apply. `kind` is one of

    - submitted, replaced: a job came, or a pending one got new content;
    - ready, blocked: a pending job need not wait any more, or has to again;
    - held: a pending job waits because what it depends on failed, `reason` names it;
    - promoted: it goes before all that are not promoted;
    - claimed, landed, publishing, done: its way; `outcome` with done, and `failure` if it failed;
    - returned, expired: its holder handed it back, or was not heard of in time; `reason` says
      until when it is not handed out again;
    - staged: its packages are there for its rebuild group, and wait for the others of it;
    - group: of a rebuild group, whose `target_repo/arch/name` stands in place of an identity, with
      job_id 0; `reason` tells that it was opened, who holds it up, that it is to be published, was
      published (with the outcome SUCCESS) or abandoned (CANCELED);
    - cancel: its holder was asked to stop;
    - quarantined: after done, it was lost too often; retried: a new job, `reason` names the old;
    - cycle: it goes before others that it depends on, and which depend on it;
    - removal: of packages, in each of its states; `job_id` is the id of the removal;
    - asked: somebody asked for something through the web server; `reason` says what, and who;
    - paused, resumed, drain, reset, restored: of the whole queue, with job_id 0; drain names the
      worker.
    """

    id: str
    kind: str
    time: float
    job_id: int
    identity: str
    state: JobState | None
    outcome: Outcome | None = None
    failure: FailureClass | None = None
    worker: str = ""
    attempt: int = 0
    build_class: str = ""
    reason: str = ""
    request_id: str = ""
    submitted: float = 0.0
    started: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerView:
    """A worker or database runner that was heard of lately; `build_class` 0 is a runner.

    `seen` is a Unix time by the clock of the Redis server. `draining`: it was asked to end and has
    not been told yet. `trouble` is why it takes no jobs, empty where it does. It builds for
    `architectures`.
    """

    id: str
    name: str
    build_class: int
    seen: float
    jobs: tuple[int, ...] = ()
    draining: bool = False
    trouble: str = ""
    architectures: tuple[str, ...] = (DEFAULT_ARCHITECTURE,)

    def may_build(self, arch: str, build_class: str) -> bool:
        """Tell whether jobs for the architecture `arch` and of a class are for this worker."""
        if not self.build_class or arch not in self.architectures:
            return False
        if build_class.isdigit():
            return self.build_class >= int(build_class)
        return self.name == build_class


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """A job as it stands. `reason` says why it waits, or why it ended as it did.

    Times are Unix times by the clock of the Redis server, 0 for what has not happened.
    `waits_for` are the first identities that a job in the `waiting` of a snapshot waits for.
    `held_by` are the identities whose failure a waiting job is held for; until `delayed_until` it
    is not handed out, because its builds were lost `lost` times. `cancel`: its holder was asked to
    stop. A job in quarantine is done, but not forgotten. `failure` and `usage` are known of what
    was built with a version that tells. `group` is the `target_repo/arch/name` of the rebuild group
    that it is in.
    """

    job_id: int
    identity: str
    state: JobState
    build_class: str
    attempt: int = 0
    worker: str = ""
    outcome: Outcome | None = None
    failure: FailureClass | None = None
    reason: str = ""
    submitted: float = 0.0
    started: float = 0.0
    landed: float = 0.0
    finished: float = 0.0
    delivery: str = ""
    waits_for: tuple[str, ...] = ()
    held_by: tuple[str, ...] = ()
    delayed_until: float = 0.0
    lost: int = 0
    promoted: bool = False
    cancel: bool = False
    quarantined: bool = False
    usage: Usage = field(default_factory=Usage)
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalView:
    """A removal that is not finished. With `held` it waits to be confirmed, `reason` says why."""

    removal_id: int
    scope: str
    removal: Removal
    held: bool = False
    reason: str = ""
    worker: str = ""
    attempt: int = 0
    request_id: str = ""
    submitted: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """No jobs are handed out to workers; what is built already is published all the same."""

    since: float
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSnapshot:
    """The queue at one instant, each list cut at the limit asked for.

    A job that is not ready is in one of `waiting` (for a dependency, or for its own running job),
    `held` (a dependency failed) and `delayed` (its builds were lost). Jobs are in the order in
    which they are handed out, `delayed` in order of time, `recent` and `quarantine` with the
    newest first. The totals count everything.
    """

    time: float
    workers: tuple[WorkerView, ...]
    active: tuple[JobView, ...]
    ready: tuple[JobView, ...]
    waiting: tuple[JobView, ...]
    held: tuple[JobView, ...]
    delayed: tuple[JobView, ...]
    quarantine: tuple[JobView, ...]
    recent: tuple[JobView, ...]
    paused: Pause | None
    total_active: int
    total_ready: int
    total_waiting: int
    total_held: int
    total_delayed: int
    total_quarantine: int
    total_removals: int
    total_groups: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JobChange:
    """What became of a wish about one job.

    Where not `done`, nothing changed, and `reason` says why. `job_id` is 0 where there is no such
    job; after a retry it is the id of the new job.
    """

    target: JobReference
    done: bool
    job_id: int = 0
    identity: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocker:
    """A job that another one waits for: `waiter`, which depends on `name`.

    `name` is empty where a job waits for the running job of its own identity.
    """

    job: JobView
    waiter: int
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a package is not being built, or is.

    `pending`, `running` and `last` are its jobs: the one that waits or is ready, the one that is
    built or published, and the newest that ended. `blockers` are what the pending one waits for,
    and what those wait for in turn, nearest first; `more_blockers` says that there are still more.
    `ahead` counts the ready jobs that go first. `group` is the rebuild group that it is in. `able`
    are the workers that may build it, `unwell` those that could if they took jobs at all.
    `reasons` says the same in sentences, the most important one first.
    """

    identity: str
    pending: JobView | None = None
    running: JobView | None = None
    last: JobView | None = None
    blockers: tuple[Blocker, ...] = ()
    more_blockers: bool = False
    ahead: int = 0
    able: tuple[WorkerView, ...] = ()
    unwell: tuple[WorkerView, ...] = ()
    paused: Pause | None = None
    group: GroupView | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Repositories:
    """The repositories that running services work for, and when each was named last."""

    targets: Mapping[str, float]
    sources: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """How much a backup held. `superseded` jobs had a newer one of their identity waiting."""

    jobs: int = 0
    quarantined: int = 0
    removals: int = 0
    requests: int = 0
    superseded: int = 0
