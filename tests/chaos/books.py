"""What is known of the jobs at one moment of the event stream: who provides what, who waits."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scheduler.job import JobState, OnFailure, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler.job import JobSpec

PENDING = (JobState.WAITING, JobState.READY)
ACTIVE = (JobState.BUILDING, JobState.LANDED, JobState.PUBLISHING)
_TROUBLE = (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.CANCELED, Outcome.SOFTWARE_FAILURE)
_NEVER_PROMOTED = 1 << 60


@dataclass(slots=True)
class Life:
    """What the stream has told of one job so far.

    `skips` are the jobs that it goes before, to break a cycle; `lacks` the identities that failed
    it, with the names that it wanted of them.
    """

    id: int
    identity: str
    spec: JobSpec
    state: str
    rank: int = _NEVER_PROMOTED
    holder: str = ""
    attempt: int = 0
    outcome: str = ""
    losses: int = 0
    was_in_cycle: bool = False
    requests: list[str] = field(default_factory=list)
    skips: set[int] = field(default_factory=set)
    lacks: dict[str, set[str]] = field(default_factory=dict)

    @property
    def names(self) -> set[str]:
        """What the job provides."""
        return {self.spec.pkgbase, *self.spec.pkgnames, *self.spec.provides}

    @property
    def wants(self) -> set[str]:
        """What the job depends on, besides itself."""
        return set(self.spec.depends) - self.names

    @property
    def scope(self) -> str:
        """Where its names mean something."""
        return self.identity.rpartition("/")[0]

    @property
    def turn(self) -> tuple[int, int]:
        """Its place in the order in which ready jobs are handed out."""
        return self.rank, self.id

    @property
    def is_plain(self) -> bool:
        """Whether it was what it is from its first to its last day."""
        return len(self.requests) == 1 and not self.was_in_cycle


class Books:
    """All jobs that have come so far; `open` are those that have not ended."""

    def __init__(self) -> None:
        self.jobs: dict[int, Life] = {}
        self.open: dict[int, Life] = {}
        self._providers: defaultdict[tuple[str, str], set[int]] = defaultdict(set)

    def add(self, life: Life) -> None:
        """Take in a new job."""
        self.jobs[life.id] = self.open[life.id] = life
        for name in life.names:
            self._providers[life.scope, name].add(life.id)

    def replace(self, life: Life, spec: JobSpec) -> None:
        """Give a pending job its new content; whoever went before it may have no reason now."""
        before = life.wants, life.spec.on_failure
        life.spec = spec
        if (life.wants, spec.on_failure) != before:
            life.skips.clear()
            self.stop_skipping(life)
            life.lacks = {
                identity: names for identity, names in life.lacks.items() if names & life.wants
            }

    def stop_skipping(self, life: Life) -> None:
        """Let nobody go before the job any more."""
        for other in self.open.values():
            other.skips.discard(life.id)

    def end(self, life: Life, outcome: Outcome) -> None:
        """Close the books of a job, and tell those that depend on it how it went."""
        del self.open[life.id]
        for name in life.names:
            self._providers[life.scope, name].discard(life.id)
        for other in self.open.values():
            wanted = other.wants & life.names
            if outcome in _TROUBLE and wanted and other.scope == life.scope:
                if life.id not in other.skips:
                    other.lacks[life.identity] = wanted
            elif outcome not in _TROUBLE and outcome != Outcome.CANCELED_REQUEUE:
                other.lacks.pop(life.identity, None)

    def blockers(self, life: Life) -> Iterator[Life]:
        """Yield the open jobs that provide what `life` depends on."""
        found = {
            other
            for name in life.wants
            for other in self._providers.get((life.scope, name), ())
            if other != life.id
        }
        return (self.jobs[other] for other in sorted(found))

    def held_for(self, life: Life) -> Iterator[str]:
        """Yield the identities that failed the job, and whose next success it has to wait for."""
        if life.spec.on_failure == OnFailure.HOLD:
            for identity in life.lacks:
                following = self.pending(identity)
                if following is None or following.id not in life.skips:
                    yield identity

    def leads(self, start: Life, goal: Life) -> bool:
        """Tell whether `start` waits for `goal`, through pending jobs."""
        seen, left = {start.id}, [start]
        while left:
            life = left.pop()
            if life.id == goal.id:
                return True
            if life.state in PENDING:
                for other in self._waits_for(life):
                    if other.id not in seen and other.id not in life.skips:
                        seen.add(other.id)
                        left.append(other)
        return False

    def skipped_now(self, life: Life) -> set[int]:
        """Return the jobs that `life` depends on, and which wait for it in turn."""
        return {other.id for other in self._waits_for(life) if self.leads(other, life)}

    def pending(self, identity: str) -> Life | None:
        """Return the pending job of a package."""
        for life in self.open.values():
            if life.identity == identity and life.state in PENDING:
                return life
        return None

    def _waits_for(self, life: Life) -> Iterator[Life]:
        yield from self.blockers(life)
        for identity in self.held_for(life):
            following = self.pending(identity)
            if following is not None:
                yield following
