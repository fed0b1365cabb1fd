"""The queue against a plain model in memory, over random steps."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import networkx as nx
import pytest
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

from scheduler.job import JobSpec, JobState, OnFailure, OnRunning, Outcome, Removal
from scheduler.queue import Backoff, Claim, JobResult, Queue, StaleClaimError, WorkerIdentity
from tests.support.queue import build_order, job, let_delays_pass, submit
from tests.support.servers import on_one_server

if TYPE_CHECKING:
    from redis import Redis

    from scheduler.queue import JobChange, JobReference

_LONG = 50 if os.environ.get("CAUR_LONG") else 1

_COUNT = 6
_NUMBERS = st.integers(0, _COUNT - 1)
_CLASSES = ("1", "2", "3", "named")
_FLAVOUR = "x86_64_v3"
_WORKERS = (
    WorkerIdentity(id="small-1", name="small", build_class=1),
    WorkerIdentity(id="big-1", name="big", build_class=3, architectures=("x86_64", _FLAVOUR)),
    WorkerIdentity(id="named-1", name="named", build_class=2, architectures=(_FLAVOUR,)),
)
_ACTIVE = (JobState.BUILDING, JobState.LANDED, JobState.PUBLISHING)
_GOOD = (Outcome.SUCCESS, Outcome.ALREADY_BUILT, Outcome.SKIPPED)
_LOSSES = 3


@st.composite
def _specs(draw: st.DrawFn) -> JobSpec:
    """Draw a job that depends on packages of lower numbers only, so that there are no cycles."""
    number = draw(_NUMBERS)
    lower = st.sampled_from([name for n in range(number) for name in (f"p{n}", f"p{n}.so")] or [""])
    depends = draw(st.lists(lower, max_size=3, unique=True))
    return job(
        f"p{number}",
        *filter(None, depends),
        f"p{number}",
        provides=(f"p{number}.so",) if draw(st.booleans()) else (),
        build_class=draw(st.sampled_from(_CLASSES)),
        on_failure=draw(st.sampled_from(OnFailure)),
        arch=_arch(number),
        shared_with=(_FLAVOUR,) if _arch(number) != _FLAVOUR and draw(st.booleans()) else (),
    )


def _arch(number: int) -> str:
    return _FLAVOUR if number > _COUNT // 2 else "x86_64"


def _identity(number: int) -> str:
    return f"repo/{_arch(number)}/p{number}"


@dataclass
class _Job:
    """A job as the model has it: `WAITING` stands for all that is pending."""

    spec: JobSpec
    state: JobState = JobState.WAITING
    outcome: Outcome | None = None
    claim: Claim | None = None
    cancel: bool = False
    lost: int = 0
    delayed: bool = False
    crashes: int = 0
    put_off: bool = False
    rank: int | None = None
    failed_deps: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    stale: list[Claim] = field(default_factory=list)

    @property
    def identity(self) -> str:
        return self.spec.identity

    @property
    def names(self) -> set[tuple[str, str]]:
        """What it provides, with each architecture that it does so for."""
        architectures = (self.spec.arch, *self.spec.shared_with)
        return {(arch, name) for arch in architectures for name in self._own_names}

    @property
    def wants(self) -> set[tuple[str, str]]:
        return {(self.spec.arch, name) for name in set(self.spec.depends) - self._own_names}

    @property
    def _own_names(self) -> set[str]:
        return {self.spec.pkgbase, *self.spec.pkgnames, *self.spec.provides}

    @property
    def held(self) -> bool:
        return self.spec.on_failure is OnFailure.HOLD and bool(self.failed_deps)


class _Model:
    """Knows every job by its id, and finds everything out by looking at all of them."""

    def __init__(self) -> None:
        self.jobs: dict[int, _Job] = {}
        self.last: dict[str, int] = {}
        self.quarantine: dict[str, int] = {}
        self.promotions = 0
        self.paused = False
        # With each removal the jobs that it takes away, as they were.
        self.removals: dict[int, dict[int, JobSpec]] = {}

    def all(self, *states: JobState) -> dict[int, _Job]:
        return {id_: job for id_, job in sorted(self.jobs.items()) if job.state in states}

    def pending(self, identity: str) -> int | None:
        return self._with_identity(identity, JobState.WAITING)

    def active(self, identity: str) -> int | None:
        return self._with_identity(identity, *_ACTIVE)

    def _with_identity(self, identity: str, *states: JobState) -> int | None:
        found = [id_ for id_, job in self.all(*states).items() if job.identity == identity]
        assert len(found) <= 1
        return found[0] if found else None

    def blockers(self, id_: int) -> list[int]:
        me = self.jobs[id_]
        return [
            other_id
            for other_id, other in self.all(JobState.WAITING, *_ACTIVE).items()
            if other_id != id_
            and (
                (other.identity == me.identity and other.state in _ACTIVE) or me.wants & other.names
            )
        ]

    def place(self, id_: int) -> str:
        if self.jobs[id_].held:
            return "held"
        if self.blockers(id_):
            return "waiting"
        return "delayed" if self.jobs[id_].delayed else "ready"

    def ready(self) -> list[int]:
        """Return the ready jobs in the order in which they are handed out."""
        found = [id_ for id_ in self.all(JobState.WAITING) if self.place(id_) == "ready"]
        return sorted(found, key=lambda id_: (self.jobs[id_].rank or float("inf"), id_))

    def take_in(self, id_: int, spec: JobSpec) -> None:
        if id_ not in self.jobs:
            assert id_ > max(self.jobs, default=0)
            self.jobs[id_] = _Job(spec)
            return
        me = self.jobs[id_]
        me.spec, me.lost, me.delayed = spec, 0, False
        me.failed_deps = {
            other: names for other, names in me.failed_deps.items() if names & me.wants
        }

    def end(self, id_: int, outcome: Outcome) -> None:
        me = self.jobs[id_]
        me.state, me.outcome = JobState.DONE, outcome
        self.last[me.identity] = max(id_, self.last.get(me.identity, 0))
        if outcome in _GOOD:
            self.quarantine.pop(me.identity, None)
        for other in self.all(JobState.WAITING, *_ACTIVE).values():
            if outcome in _GOOD:
                other.failed_deps.pop(me.identity, None)
            elif outcome is not Outcome.CANCELED_REQUEUE and other.wants & me.names:
                other.failed_deps[me.identity] = other.wants & me.names

    def cancel(self, id_: int) -> bool:
        """Return whether that changed anything."""
        me = self.jobs[id_]
        if me.state in (JobState.WAITING, JobState.LANDED):
            self.end(id_, Outcome.CANCELED)
            return True
        done, me.cancel = not me.cancel, True
        return done

    def come_back(self, id_: int) -> None:
        """Model a build that was handed back or lost."""
        if self.jobs[id_].cancel:
            self.end(id_, Outcome.CANCELED)
        elif self.pending(self.jobs[id_].identity) is not None:
            self.end(id_, Outcome.CANCELED_REQUEUE)
        else:
            self.jobs[id_].state = JobState.WAITING

    def lose(self, id_: int) -> None:
        me = self.jobs[id_]
        me.lost += 1
        superseded = me.cancel or self.pending(me.identity) is not None
        if me.lost >= _LOSSES and not superseded:
            self.end(id_, Outcome.SOFTWARE_FAILURE)
            self.quarantine[me.identity] = id_
            return
        self.come_back(id_)
        me.delayed = me.state is JobState.WAITING

    def lose_publication(self, id_: int) -> None:
        me = self.jobs[id_]
        me.crashes += 1
        if me.cancel:
            self.end(id_, Outcome.CANCELED)
        elif me.crashes >= _LOSSES:
            self.end(id_, Outcome.SOFTWARE_FAILURE)
            self.quarantine[me.identity] = id_
        else:
            me.state, me.put_off = JobState.LANDED, True

    def promote(self, id_: int) -> list[int]:
        """Return who was promoted, in order."""
        if self.jobs[id_].rank is not None:
            return []
        seen, todo = {id_}, [id_]
        while todo:
            one = todo.pop()
            before = set(self.blockers(one))
            if self.jobs[one].held:
                before |= {self.pending(other) or one for other in self.jobs[one].failed_deps}
            fresh = {other for other in before - seen if self.jobs[other].state is JobState.WAITING}
            seen |= fresh
            todo += fresh
        order = [*sorted(seen - {id_}), id_]
        promoted = [one for one in order if self.jobs[one].rank is None]
        for one in promoted:
            self.promotions += 1
            self.jobs[one].rank = self.promotions
        return promoted

    def may_retry(self, id_: int) -> bool:
        me = self.jobs[id_]
        running = self.active(me.identity)
        return (
            self.pending(me.identity) is None
            and (running is None or running < id_)
            and self.last[me.identity] <= id_
        )


class _QueueMachine(RuleBasedStateMachine):
    """Does the same to a queue and to the model, and compares."""

    redis: Redis

    def __init__(self) -> None:
        super().__init__()
        self.model = _Model()
        self.requests = 0

    @initialize()
    def start(self) -> None:
        self.redis.flushall()
        self.queue = Queue(self.redis, backoff=Backoff(first=3600, losses=_LOSSES))

    def _request_id(self) -> str:
        self.requests += 1
        return f"request-{self.requests}"

    def _drawn(self, data: st.DataObject, *states: JobState) -> int:
        return data.draw(st.sampled_from(list(self.model.all(*states))))

    def _retire_claim(self, id_: int) -> Claim:
        job_ = self.model.jobs[id_]
        assert job_.claim is not None
        claim, job_.claim = job_.claim, None
        job_.stale.append(claim)
        return claim

    @rule(
        specs=st.lists(_specs(), min_size=1, max_size=6, unique_by=lambda spec: spec.pkgbase),
        on_running=st.sampled_from(OnRunning),
    )
    def submit(self, specs: list[JobSpec], on_running: OnRunning) -> None:
        done = self.queue.submit(self._request_id(), specs, on_running=on_running)
        running = [id_ for spec in specs if (id_ := self.model.active(spec.identity))]
        if on_running is OnRunning.CANCEL:
            assert list(done.canceled) == [id_ for id_ in running if self.model.cancel(id_)]
        succeeding = [spec for spec in specs if self.model.active(spec.identity)]
        for id_, spec in zip(done.jobs, specs, strict=True):
            pending = self.model.pending(spec.identity)
            assert (id_ in done.replaced) == (pending is not None)
            assert pending in (None, id_)
            assert (id_ in done.successors) == (spec in succeeding)
            self.model.take_in(id_, spec)

    @rule(number=_NUMBERS, keep=st.booleans())
    def remove(self, number: int, *, keep: bool) -> None:
        bases = (f"p{number}",)
        removal = Removal(
            target_repo="repo",
            arch=_arch(number),
            keep=bases if keep else (),
            remove=() if keep else bases,
        )
        done = self.queue.submit(self._request_id(), [], [removal])
        going = {
            id_: job_.spec
            for id_, job_ in self.model.all(JobState.WAITING, *_ACTIVE).items()
            if job_.spec.arch == removal.arch and (job_.spec.pkgbase == bases[0]) != keep
        }
        self.model.removals[done.removals[0]] = going
        if not keep:
            for id_ in going:
                self.model.cancel(id_)
        self._carry_out_removals()

    def _carry_out_removals(self) -> None:
        for claim in self.queue.claim_removals("runner"):
            self.queue.finish_removal(claim)
            for id_, spec in self.model.removals.pop(claim.removal_id).items():
                # Not what was asked for since then, under the same id.
                job_ = self.model.all(JobState.WAITING, *_ACTIVE).get(id_)
                if job_ is not None and job_.spec is spec:
                    self.model.cancel(id_)

    @rule(worker=st.sampled_from(_WORKERS))
    def claim(self, worker: WorkerIdentity) -> None:
        self._expect_claim(worker, self.queue.claim(worker))

    def _expect_claim(self, worker: WorkerIdentity, claim: Claim | None) -> None:
        may = {str(number) for number in range(1, worker.build_class + 1)} | {worker.name}
        ready = [] if self.model.paused else self.model.ready()
        expected = [
            id_
            for id_ in ready
            if self.model.jobs[id_].spec.build_class in may
            and self.model.jobs[id_].spec.arch in worker.architectures
        ]
        assert (claim.job_id if claim else None) == (expected[0] if expected else None)
        if claim:
            job_ = self.model.jobs[claim.job_id]
            assert claim.spec == job_.spec
            job_.state, job_.claim = JobState.BUILDING, claim

    @precondition(lambda self: self.model.all(JobState.BUILDING))
    @rule(data=st.data())
    def land(self, data: st.DataObject) -> None:
        id_ = self._drawn(data, JobState.BUILDING)
        state = self.queue.land(self._retire_claim(id_), f"delivery-{id_}")
        if self.model.jobs[id_].cancel:
            self.model.end(id_, Outcome.CANCELED)
        else:
            self.model.jobs[id_].state = JobState.LANDED
        assert state is self.model.jobs[id_].state

    @rule()
    def publish(self) -> None:
        landed = self.model.all(JobState.LANDED)
        claims = self.queue.claim_landed("runner")
        # A removal that could not be carried out yet holds nothing back for longer than this.
        self._carry_out_removals()
        while batch := self.queue.claim_landed("runner"):
            crashed = [claim for claim in batch if landed[claim.job_id].crashes]
            assert not crashed or len(batch) == 1
            claims += batch
        expected = {id_ for id_, job_ in landed.items() if not job_.put_off}
        assert {claim.job_id for claim in claims} == expected
        for claim in claims:
            assert claim.delivery == f"delivery-{claim.job_id}"
            job_ = self.model.jobs[claim.job_id]
            job_.state, job_.claim = JobState.PUBLISHING, claim

    @precondition(lambda self: self.model.all(JobState.BUILDING, JobState.PUBLISHING))
    @rule(
        data=st.data(),
        outcomes=st.lists(st.sampled_from(Outcome), min_size=1, max_size=3),
    )
    def finish(self, data: st.DataObject, outcomes: list[Outcome]) -> None:
        results = []
        for outcome in outcomes:
            if not self.model.all(JobState.BUILDING, JobState.PUBLISHING):
                break
            id_ = self._drawn(data, JobState.BUILDING, JobState.PUBLISHING)
            claim = self._retire_claim(id_)
            self.model.jobs[id_].stale.remove(claim)  # saying the same again would be no error
            self.model.end(id_, outcome)
            results.append(JobResult(claim, outcome))
        assert self.queue.finish_all(results) == []

    @precondition(lambda self: self.model.all(JobState.BUILDING, JobState.PUBLISHING))
    @rule(data=st.data(), lost=st.booleans(), said=st.booleans())
    def hand_back_or_lose(self, data: st.DataObject, *, lost: bool, said: bool) -> None:
        id_ = self._drawn(data, JobState.BUILDING, JobState.PUBLISHING)
        job_, claim = self.model.jobs[id_], self._retire_claim(id_)
        if lost and said:
            self.queue.retry_later(claim, "the network was out of reach")
        elif lost:
            Queue(self.redis, lease=0).renew(claim)
            assert [returned.id for returned in self.queue.reap()] == [id_]
        else:
            self.queue.release(claim)
        if job_.state is JobState.PUBLISHING and lost:
            self.model.lose_publication(id_)
        elif job_.state is JobState.PUBLISHING:
            if job_.cancel:
                self.model.end(id_, Outcome.CANCELED)
            else:
                job_.state = JobState.LANDED
        elif lost:
            self.model.lose(id_)
        else:
            self.model.come_back(id_)

    @rule()
    def let_time_pass(self) -> None:
        let_delays_pass(self.redis)
        self.queue.reap()
        for job_ in self.model.all(JobState.WAITING).values():
            job_.delayed = False
        for job_ in self.model.all(JobState.LANDED).values():
            job_.put_off = False

    @rule(paused=st.booleans())
    def pause_or_resume(self, *, paused: bool) -> None:
        changes = self.queue.pause() if paused else self.queue.resume()
        assert changes == (paused != self.model.paused)
        self.model.paused = paused

    def _target(self, data: st.DataObject) -> JobReference:
        """Draw a package, or a job by its id."""
        ids = st.sampled_from(sorted(self.model.jobs))
        return data.draw(st.one_of(_NUMBERS.map(_identity), ids))

    @precondition(lambda self: self.model.jobs)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        target = self._target(data)
        done = {answer.job_id for answer in self.queue.cancel([target]) if answer.done}
        if isinstance(target, str):
            found = (self.model.pending(target), self.model.active(target))
            ids = [id_ for id_ in found if id_] or list(
                filter(None, [self.model.quarantine.get(target)])
            )
        else:
            ids = [target]
        expected = set()
        for id_ in ids:
            if self.model.jobs[id_].state is not JobState.DONE:
                expected |= {id_} if self.model.cancel(id_) else set()
            elif self.model.quarantine.get(self.model.jobs[id_].identity) == id_:
                del self.model.quarantine[self.model.jobs[id_].identity]
                expected.add(id_)
        assert done == expected

    @precondition(lambda self: self.model.jobs)
    @rule(data=st.data())
    def promote(self, data: st.DataObject) -> None:
        target = self._target(data)
        done = [answer.job_id for answer in self.queue.promote([target]) if answer.done]
        id_ = self.model.pending(target) if isinstance(target, str) else target
        waits = id_ is not None and self.model.jobs[id_].state is JobState.WAITING
        assert done == (self.model.promote(id_) if waits and id_ else [])

    @precondition(lambda self: self.model.jobs)
    @rule(data=st.data())
    def proceed(self, data: st.DataObject) -> None:
        target = self._target(data)
        (answer,) = self.queue.proceed([target])
        id_ = self.model.pending(target) if isinstance(target, str) else target
        job_ = self.model.jobs[id_] if id_ else None
        held = job_ is not None and job_.state is JobState.WAITING and job_.held
        assert answer.done == held
        if job_ is not None and held:
            job_.failed_deps.clear()

    @precondition(lambda self: self.model.last)
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        target = self._target(data)
        (answer,) = self.queue.retry([target])
        self._expect_retry(target, answer)

    def _expect_retry(self, target: JobReference, answer: JobChange) -> None:
        if isinstance(target, str):
            id_ = self.model.quarantine.get(target, self.model.last.get(target))
        else:
            id_ = target if self.model.jobs[target].state is JobState.DONE else None
        assert answer.done == (id_ is not None and self.model.may_retry(id_))
        if id_ is None or not answer.done:
            return
        identity = self.model.jobs[id_].identity
        if self.model.quarantine.get(identity) == id_:
            del self.model.quarantine[identity]
        self.model.take_in(answer.job_id, self.model.jobs[id_].spec)

    @precondition(lambda self: any(job.stale for job in self.model.jobs.values()))
    @rule(data=st.data())
    def speak_with_a_stale_token(self, data: st.DataObject) -> None:
        claims = [claim for job_ in self.model.jobs.values() for claim in job_.stale]
        claim = data.draw(st.sampled_from(claims))
        try:
            self.queue.renew(claim)
            self.queue.finish(claim, Outcome.SKIPPED)
        except StaleClaimError:
            return
        raise AssertionError("a stale token was accepted")

    @rule()
    def move_to_another_server(self) -> None:
        """Take a backup, and restore it into an empty queue: claims and results are forgotten."""
        documents = list(self.queue.backup())
        self.queue.reset()
        self.queue.restore(documents)
        model = self.model
        model.last = dict(model.quarantine)
        for id_, job_ in list(model.jobs.items()):
            newer = job_.state is JobState.BUILDING and model.pending(job_.identity) is not None
            if newer or (job_.state is JobState.DONE and id_ not in model.quarantine.values()):
                del model.jobs[id_]
            elif job_.state in (JobState.BUILDING, JobState.PUBLISHING):
                job_.state = (
                    JobState.WAITING if job_.state is JobState.BUILDING else JobState.LANDED
                )
                job_.cancel = False
        for job_ in model.jobs.values():
            job_.claim, job_.stale = None, []

    @invariant()
    def the_queue_shows_what_the_model_knows(self) -> None:
        snapshot, model = self.queue.snapshot(limit=1000), self.model
        places: dict[str, list[int]] = {"waiting": [], "held": [], "delayed": [], "ready": []}
        for id_ in model.all(JobState.WAITING):
            places[model.place(id_)].append(id_)
        for place in ("waiting", "held"):
            assert [view.job_id for view in getattr(snapshot, place)] == places[place], place
        assert {view.job_id for view in snapshot.delayed} == set(places["delayed"])
        assert [view.job_id for view in snapshot.ready] == model.ready()
        assert [snapshot.total_waiting, snapshot.total_held, snapshot.total_delayed] == [
            len(places[place]) for place in ("waiting", "held", "delayed")
        ]
        active = {id_: job_.state for id_, job_ in model.all(*_ACTIVE).items()}
        assert {view.job_id: view.state for view in snapshot.active} == active
        waiting = (*snapshot.waiting, *snapshot.held, *snapshot.delayed)
        assert all(view.reason for view in waiting)
        outcomes = {id_: job_.outcome for id_, job_ in model.all(JobState.DONE).items()}
        shown: dict[int, Any] = {view.job_id: view.outcome for view in snapshot.recent}
        assert shown | {view.job_id: view.outcome for view in snapshot.quarantine} == outcomes
        assert {view.job_id for view in snapshot.quarantine} == set(model.quarantine.values())
        assert (snapshot.paused is not None) == model.paused


@on_one_server
@pytest.mark.usefixtures("any_way")
def test_the_queue_does_what_the_model_does(redis: Redis) -> None:
    machine = type("Machine", (_QueueMachine,), {"redis": redis})
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=40 * _LONG, stateful_step_count=40, deadline=None),
    )


_graphs = st.integers(2, 12).flatmap(
    lambda count: st.lists(
        st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=3 * count
    ).map(lambda edges: (count, edges))
)


@on_one_server
@pytest.mark.usefixtures("any_way")
@given(graph=_graphs, batches=st.integers(1, 3))
@settings(
    max_examples=40 * _LONG,
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


@on_one_server
@pytest.mark.usefixtures("any_way")
@given(graph=_graphs, data=st.data())
@settings(
    max_examples=40 * _LONG,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_fails_and_is_held_in_cycles_all_comes_to_an_end(
    redis: Redis, graph: tuple[int, list[tuple[int, int]]], data: st.DataObject
) -> None:
    redis.flushall()
    queue = Queue(redis)
    count, edges = graph
    submit(
        queue,
        *(
            job(
                f"p{number}",
                *(f"p{target}" for source, target in edges if source == number),
                on_failure=data.draw(st.sampled_from(OnFailure)),
            )
            for number in range(count)
        ),
    )
    worker = _WORKERS[1]
    while claim := queue.claim(worker):
        outcome = data.draw(st.sampled_from([Outcome.SUCCESS, Outcome.FAILED]))
        if data.draw(st.booleans()):
            submit(queue, replace(claim.spec, provides=(f"new-{claim.job_id}",)))
        if claim.job_id > 3 * count:
            outcome = Outcome.SUCCESS
        queue.finish(claim, outcome)
        if claim.job_id > 6 * count:
            break
    build_order(queue, worker)
    for _ in range(count):
        views = queue.snapshot().held
        assert [queue.job(view.job_id) for view in views] == list(views)
        held = {identity for view in views for identity in view.held_by}
        # Refused for those whose next job is held itself, for others.
        queue.retry(sorted(held))
        build_order(queue, worker)
    snapshot = queue.snapshot()
    assert [*snapshot.waiting, *snapshot.held, *snapshot.ready] == []
