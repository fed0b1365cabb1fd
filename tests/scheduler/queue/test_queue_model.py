"""The queue against a plain model in memory, over random steps."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import networkx as nx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from scheduler.job import JobSpec, Outcome, Removal, State
from scheduler.queue import Backoff, Claim, Queue, StaleClaimError, WorkerIdentity
from tests.support.queue import build_order, job, submit

if TYPE_CHECKING:
    from redis import Redis

_COUNT = 6
_CLASSES = ("1", "2", "3", "named")
_WORKERS = (
    WorkerIdentity(id="small-1", name="small", build_class=1),
    WorkerIdentity(id="big-1", name="big", build_class=3),
    WorkerIdentity(id="named-1", name="named", build_class=2),
)
_PENDING = (State.WAITING, State.READY)


@st.composite
def _specs(draw: st.DrawFn) -> JobSpec:
    """Draw a job that depends on packages of lower numbers only, so that there are no cycles."""
    number = draw(st.integers(0, _COUNT - 1))
    lower = st.sampled_from([name for n in range(number) for name in (f"p{n}", f"p{n}.so")] or [""])
    depends = draw(st.lists(lower, max_size=3, unique=True))
    return job(
        f"p{number}",
        *filter(None, depends),
        f"p{number}",
        provides=(f"p{number}.so",) if draw(st.booleans()) else (),
        build_class=draw(st.sampled_from(_CLASSES)),
    )


@dataclass
class _Job:
    spec: JobSpec
    state: State = State.WAITING
    outcome: Outcome | None = None
    claim: Claim | None = None
    cancel: bool = False
    lost: int = 0
    stale: list[Claim] = field(default_factory=list)

    @property
    def names(self) -> set[str]:
        return {self.spec.pkgbase, *self.spec.pkgnames, *self.spec.provides}


class _QueueMachine(RuleBasedStateMachine):
    """The model knows every job by its id and finds everything out by looking at all of them."""

    redis: Redis

    def __init__(self) -> None:
        super().__init__()
        self.jobs: dict[int, _Job] = {}
        self.requests = 0

    @initialize()
    def start(self) -> None:
        self.redis.flushall()
        self.queue = Queue(self.redis, backoff=Backoff(first=0))

    def _all(self, *states: State) -> dict[int, _Job]:
        return {id_: job for id_, job in sorted(self.jobs.items()) if job.state in states}

    def _with_identity(self, identity: str, *states: State) -> int | None:
        found = [id_ for id_, job in self._all(*states).items() if job.spec.identity == identity]
        assert len(found) <= 1
        return found[0] if found else None

    def _active_states(self) -> tuple[State, ...]:
        return State.BUILDING, State.LANDED, State.PUBLISHING

    def _is_blocked(self, id_: int) -> bool:
        me = self.jobs[id_]
        wanted = set(me.spec.depends) - me.names
        for other_id, other in self._all(*_PENDING, *self._active_states()).items():
            if other_id == id_:
                continue
            same = other.spec.identity == me.spec.identity
            if (same and other.state not in _PENDING) or wanted & other.names:
                return True
        return False

    def _done(self, id_: int, outcome: Outcome) -> None:
        self.jobs[id_].state, self.jobs[id_].outcome = State.DONE, outcome

    def _retire_claim(self, id_: int) -> Claim:
        claim = self.jobs[id_].claim
        assert claim is not None
        self.jobs[id_].stale.append(claim)
        self.jobs[id_].claim = None
        return claim

    def _come_back(self, id_: int) -> None:
        """Model a build that was handed back or lost."""
        if self.jobs[id_].cancel:
            self._done(id_, Outcome.CANCELED)
        elif self._with_identity(self.jobs[id_].spec.identity, *_PENDING) is not None:
            self._done(id_, Outcome.CANCELED_REQUEUE)
        else:
            self.jobs[id_].state = State.WAITING

    def _request_id(self) -> str:
        self.requests += 1
        return f"request-{self.requests}"

    @rule(specs=st.lists(_specs(), min_size=1, max_size=6, unique_by=lambda spec: spec.pkgbase))
    def submit(self, specs: list[JobSpec]) -> None:
        done = self.queue.submit(self._request_id(), specs)
        for id_, spec in zip(done.jobs, specs, strict=True):
            pending = self._with_identity(spec.identity, *_PENDING)
            assert (id_ in done.replaced) == (pending is not None)
            if pending is not None:
                assert pending == id_
                self.jobs[id_].spec, self.jobs[id_].lost = spec, 0
            else:
                assert id_ > max(self.jobs, default=0)
                self.jobs[id_] = _Job(spec)

    @rule(number=st.integers(0, _COUNT - 1), keep=st.booleans())
    def remove(self, number: int, *, keep: bool) -> None:
        bases = (f"p{number}",)
        removal = Removal(
            target_repo="repo", keep=bases if keep else (), remove=() if keep else bases
        )
        self.queue.submit(self._request_id(), [], [removal])
        for id_, job_ in self._all(*_PENDING, *self._active_states()).items():
            if (job_.spec.pkgbase == bases[0]) == keep:
                continue
            if job_.state in (*_PENDING, State.LANDED):
                self._done(id_, Outcome.CANCELED)
            else:
                job_.cancel = True
        for claim in self.queue.claim_removals("runner"):
            self.queue.finish_removal(claim)

    @rule(worker=st.sampled_from(_WORKERS))
    def claim(self, worker: WorkerIdentity) -> None:
        may = {str(number) for number in range(1, worker.build_class + 1)} | {worker.name}
        expected = [
            id_
            for id_, job_ in self._all(*_PENDING).items()
            if job_.spec.build_class in may and not self._is_blocked(id_)
        ]
        claim = self.queue.claim(worker)
        assert (claim.job_id if claim else None) == (expected[0] if expected else None)
        if claim:
            assert claim.spec == self.jobs[claim.job_id].spec
            self.jobs[claim.job_id].state = State.BUILDING
            self.jobs[claim.job_id].claim = claim

    @precondition(lambda self: self._all(State.BUILDING))
    @rule(data=st.data())
    def land(self, data: st.DataObject) -> None:
        id_ = data.draw(st.sampled_from(list(self._all(State.BUILDING))))
        state = self.queue.land(self._retire_claim(id_), f"delivery-{id_}")
        if self.jobs[id_].cancel:
            self._done(id_, Outcome.CANCELED)
        else:
            self.jobs[id_].state = State.LANDED
        assert state is self.jobs[id_].state

    @rule()
    def publish(self) -> None:
        claims = self.queue.claim_landed("runner")
        # A removal that could not be carried out yet holds nothing back for longer than this.
        for removal in self.queue.claim_removals("runner"):
            self.queue.finish_removal(removal)
        claims += self.queue.claim_landed("runner")
        assert {claim.job_id for claim in claims} == set(self._all(State.LANDED))
        for claim in claims:
            assert claim.delivery == f"delivery-{claim.job_id}"
            self.jobs[claim.job_id].state = State.PUBLISHING
            self.jobs[claim.job_id].claim = claim

    @precondition(lambda self: self._all(State.BUILDING, State.PUBLISHING))
    @rule(data=st.data(), outcome=st.sampled_from(list(Outcome)))
    def finish(self, data: st.DataObject, outcome: Outcome) -> None:
        id_ = data.draw(st.sampled_from(list(self._all(State.BUILDING, State.PUBLISHING))))
        claim = self._retire_claim(id_)
        self.queue.finish(claim, outcome)
        self.jobs[id_].stale.remove(claim)  # saying the same again would be no error
        self._done(id_, outcome)

    @precondition(lambda self: self._all(State.BUILDING, State.PUBLISHING))
    @rule(data=st.data(), lost=st.booleans())
    def hand_back_or_lose(self, data: st.DataObject, *, lost: bool) -> None:
        id_ = data.draw(st.sampled_from(list(self._all(State.BUILDING, State.PUBLISHING))))
        job_, claim = self.jobs[id_], self._retire_claim(id_)
        if lost:
            Queue(self.redis, lease=0).renew(claim)
            self.queue.reap()
            job_.lost += job_.state is State.BUILDING
        else:
            self.queue.release(claim)
        if job_.state is State.PUBLISHING:
            if job_.cancel:
                self._done(id_, Outcome.CANCELED)
            else:
                job_.state = State.LANDED
        elif (
            lost
            and job_.lost >= 5
            and not job_.cancel
            and self._with_identity(job_.spec.identity, *_PENDING) is None
        ):
            self._done(id_, Outcome.SOFTWARE_FAILURE)
        else:
            self._come_back(id_)

    @precondition(lambda self: any(job.stale for job in self.jobs.values()))
    @rule(data=st.data())
    def speak_with_a_stale_token(self, data: st.DataObject) -> None:
        claims = [claim for job_ in self.jobs.values() for claim in job_.stale]
        claim = data.draw(st.sampled_from(claims))
        try:
            self.queue.renew(claim)
            self.queue.finish(claim, Outcome.SKIPPED)
        except StaleClaimError:
            return
        raise AssertionError("a stale token was accepted")

    @invariant()
    def the_queue_shows_what_the_model_knows(self) -> None:
        snapshot = self.queue.snapshot(limit=1000)
        waiting = {id_ for id_ in self._all(*_PENDING) if self._is_blocked(id_)}
        assert {view.job_id for view in snapshot.waiting} == waiting
        assert {view.job_id for view in snapshot.ready} == set(self._all(*_PENDING)) - waiting
        active = {id_: job_.state for id_, job_ in self._all(*self._active_states()).items()}
        assert {view.job_id: view.state for view in snapshot.active} == active
        assert all(view.reason for view in snapshot.waiting)
        outcomes = {id_: job_.outcome for id_, job_ in self._all(State.DONE).items()}
        assert {view.job_id: view.outcome for view in snapshot.recent} == outcomes


def test_the_queue_does_what_the_model_does(redis: Redis) -> None:
    machine = type("Machine", (_QueueMachine,), {"redis": redis})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=40, stateful_step_count=30, deadline=None)
    )


_graphs = st.integers(2, 12).flatmap(
    lambda count: st.lists(
        st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=3 * count
    ).map(lambda edges: (count, edges))
)


@given(graph=_graphs, batches=st.integers(1, 3))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_only_members_of_one_cycle_ever_go_before_their_dependencies(
    redis: Redis, graph: tuple[int, list[tuple[int, int]]], batches: int
) -> None:
    redis.flushall()
    queue = Queue(redis)
    count, edges = graph
    jobs = [
        job(f"p{number}", *(f"p{target}" for source, target in edges if source == number))
        for number in range(count)
    ]
    size = -(-count // batches)
    for first in range(0, count, size):
        submit(queue, *jobs[first : first + size])
    order = build_order(queue)
    assert Counter(order) == Counter(f"p{number}" for number in range(count))
    place = {name: index for index, name in enumerate(order)}
    depends: nx.DiGraph[str] = nx.DiGraph(
        [(f"p{source}", f"p{target}") for source, target in edges]
    )
    cycle_of = {
        name: number
        for number, members in enumerate(nx.strongly_connected_components(depends))
        for name in members
    }
    for source, target in depends.edges:
        in_order = place[target] < place[source] or source == target
        assert in_order or cycle_of[source] == cycle_of[target]
