"""The rules of order, held against the event stream.

Redis writes an event in the same step as the change it tells of, so the stream is the order in
which everything happened. This follows it with books of its own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scheduler.job import Outcome, State
from scheduler.queue.model import Backoff

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scheduler.job import JobSpec
    from tests.chaos.history import Change, History

_PENDING = (State.WAITING, State.READY)
_ACTIVE = (State.BUILDING, State.LANDED, State.PUBLISHING)
_NEXT: dict[str, tuple[str, ...]] = {
    State.WAITING: (State.READY, State.DONE),
    State.READY: (State.WAITING, State.BUILDING, State.DONE),
    State.BUILDING: (State.WAITING, State.READY, State.LANDED, State.DONE),
    State.LANDED: (State.PUBLISHING, State.DONE),
    State.PUBLISHING: (State.LANDED, State.DONE),
    State.DONE: (),
}
_ARRIVALS = ("submitted", "replaced")


@dataclass(slots=True)
class Life:
    """What the stream has told of one job so far. `skips` are those it goes before in a cycle."""

    id: int
    identity: str
    spec: JobSpec
    state: str
    holder: str = ""
    attempt: int = 0
    outcome: str = ""
    requests: list[str] = field(default_factory=list)
    skips: set[int] = field(default_factory=set)
    losses: int = 0
    was_in_cycle: bool = False

    @property
    def names(self) -> set[str]:
        """What the job provides."""
        return {self.spec.pkgbase, *self.spec.pkgnames, *self.spec.provides}

    @property
    def wants(self) -> set[str]:
        """What the job depends on, besides itself."""
        return set(self.spec.depends) - self.names

    @property
    def is_plain(self) -> bool:
        """Whether it was what it is from its first to its last day."""
        return len(self.requests) == 1 and not self.was_in_cycle

    @property
    def scope(self) -> str:
        """Where its names mean something."""
        return self.identity.rpartition("/")[0]


class Replay:
    """Follows the stream of a history; `problems` are the rules it has seen broken."""

    def __init__(self, history: History) -> None:
        self.problems: list[str] = []
        self.jobs: dict[int, Life] = {}
        self.counts: Counter[str] = Counter()
        self._specs: Mapping[tuple[str, str], JobSpec] = {
            (request.id, job.identity): job for request in history.requests for job in request.jobs
        }
        self._workers: dict[str, tuple[str, int]] = {
            word.actor: (word.told["name"], word.told["class"])
            for word in history.words
            if word.kind == "claim"
        }
        self._open: dict[int, Life] = {}
        self._providers: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
        self._broken: dict[int, set[int]] = {}
        self._removals: set[int] = set()
        for change in history.changes:
            self._follow(change)
        for life in self._open.values():
            self._tell(life, f"has not ended, it is {life.state}")

    def _follow(self, change: Change) -> None:
        if change.kind != "cycle":
            # Several that are broken in one step are those of the graph before.
            for job, skips in self._broken.items():
                self.jobs[job].skips |= skips
            self._broken.clear()
        self.counts[change.kind] += 1
        if change.kind == "removal":
            self._removals.add(change.job)
        if change.job == 0 or change.job in self._removals:
            return
        if change.kind in _ARRIVALS:
            self._arrive(change)
            return
        life = self.jobs.get(change.job)
        if life is None:
            self.problems.append(f"{change.id}: {change.kind} of job {change.job}, never submitted")
            return
        if life.state == State.DONE and change.kind != "quarantined":
            self._tell(life, f"is {change.kind} after its end", change)
            return
        self._note(life, change)
        self._move(life, change)

    def _note(self, life: Life, change: Change) -> None:
        match change.kind:
            case "claimed":
                self._check_claim(life, change)
                life.attempt += 1
                life.holder = change.worker
            case "publishing":
                life.holder = change.worker
            case "landed":
                self._check_holder(life, change)
            case "expired" if life.state == State.BUILDING:
                life.losses += 1
            case "cycle":
                life.was_in_cycle = True
                self._broken[life.id] = {
                    other.id for other in self._blockers(life) if self._leads(other, life)
                }
            case "done":
                self._check_end(life, change)
                life.outcome = change.outcome

    def _arrive(self, change: Change) -> None:
        spec = self._specs.get((change.request, change.identity))
        if spec is None:
            self.problems.append(f"{change.id}: nobody submitted {change.identity} like that")
            return
        life = self.jobs.get(change.job)
        if change.kind == "submitted":
            if life is not None:
                self._tell(life, "is submitted a second time", change)
                return
            if self._pending(change.identity):
                self.problems.append(f"{change.id}: {change.identity} is pending twice")
            life = Life(change.job, change.identity, spec, change.state)
            self.jobs[life.id] = self._open[life.id] = life
            for name in life.names:
                self._providers[life.scope, name].add(life.id)
        else:
            if life is None or life.state not in _PENDING:
                self.problems.append(f"{change.id}: job {change.job} is replaced, but not pending")
                return
            self._replace(life, spec)
        life.requests.append(change.request)

    def _replace(self, life: Life, spec: JobSpec) -> None:
        before, life.spec = life.wants, spec
        if life.wants != before:
            life.skips.clear()
            for other in self._open.values():
                other.skips.discard(life.id)

    def _move(self, life: Life, change: Change) -> None:
        if not change.state or change.state == life.state:
            return
        if change.state not in _NEXT[life.state]:
            self._tell(life, f"goes from {life.state} to {change.state}", change)
        life.state = change.state
        if life.state == State.DONE:
            del self._open[life.id]
            for name in life.names:
                self._providers[life.scope, name].discard(life.id)

    def _check_claim(self, life: Life, change: Change) -> None:
        if change.attempt != life.attempt + 1:
            self._tell(life, f"is claimed as attempt {change.attempt}", change)
        for other in self._open.values():
            if other.identity == life.identity and other.state in _ACTIVE:
                self._tell(life, f"is started while job {other.id} of it is running", change)
        for other in self._blockers(life):
            if not (other.id in life.skips and other.state in _PENDING):
                what = f"is started before {other.identity} (job {other.id}), which it depends on"
                self._tell(life, what, change)
        if change.worker not in self._workers:
            self._tell(life, f"is claimed by {change.worker}, who never asked for one", change)
            return
        if not self._may_build(change.worker, life):
            self._tell(life, f"of class {life.spec.build_class} is not for {change.worker}", change)
        for other in self._open.values():
            if (
                other.id < life.id
                and other.state == State.READY
                and self._may_build(change.worker, other)
            ):
                self._tell(life, f"is claimed before the older job {other.id}", change)

    def _check_holder(self, life: Life, change: Change) -> None:
        if change.worker != life.holder:
            self._tell(life, f"{change.kind} by {change.worker}, held by {life.holder}", change)

    def _check_end(self, life: Life, change: Change) -> None:
        """Check the ends that only the queue itself may bring about."""
        outcome = Outcome(int(change.outcome))
        is_held = life.state in {State.BUILDING, State.PUBLISHING}
        if is_held:
            self._check_holder(life, change)
        if outcome == Outcome.CANCELED_REQUEUE and not self._pending(life.identity):
            self._tell(life, "made way for a successor that is not there", change)
        if outcome == Outcome.SOFTWARE_FAILURE and life.losses + 1 < Backoff().losses:
            self._tell(life, f"is given up after {life.losses + 1} losses", change)
        if not is_held and outcome != Outcome.CANCELED:
            self._tell(life, f"ends as {outcome.name}, said by nobody", change)

    def _blockers(self, life: Life) -> Iterator[Life]:
        """Yield the open jobs that provide what `life` depends on."""
        found = {
            other
            for name in life.wants
            for other in self._providers.get((life.scope, name), ())
            if other != life.id
        }
        return (self.jobs[other] for other in sorted(found))

    def _leads(self, start: Life, goal: Life) -> bool:
        """Tell whether `start` waits for `goal`, through pending jobs."""
        seen, left = {start.id}, [start]
        while left:
            life = left.pop()
            if life.id == goal.id:
                return True
            if life.state not in _PENDING:
                continue
            for other in self._blockers(life):
                if other.id not in seen and other.id not in life.skips:
                    seen.add(other.id)
                    left.append(other)
        return False

    def _pending(self, identity: str) -> bool:
        return any(
            life.identity == identity and life.state in _PENDING for life in self._open.values()
        )

    def _may_build(self, worker: str, life: Life) -> bool:
        name, build_class = self._workers[worker]
        wanted = life.spec.build_class
        return int(wanted) <= build_class if wanted.isdigit() else wanted == name

    def _tell(self, life: Life, what: str, change: Change | None = None) -> None:
        place = f"{change.id}: " if change is not None else ""
        self.problems.append(f"{place}job {life.id} ({life.identity}) {what}")
