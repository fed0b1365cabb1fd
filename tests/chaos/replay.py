"""The rules of order, held against the event stream.

Redis writes an event in the same step as the change it tells of, so the stream is the order in
which everything happened. This follows it with books of its own.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from scheduler.job import JobState, Outcome
from tests.chaos.books import ACTIVE, PENDING, Books, Life
from tests.chaos.settings import BACKOFF

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scheduler.job import JobSpec
    from tests.chaos.history import Change, History

_NEXT: dict[str, tuple[str, ...]] = {
    JobState.WAITING: (JobState.READY, JobState.DONE),
    JobState.READY: (JobState.WAITING, JobState.BUILDING, JobState.DONE),
    JobState.BUILDING: (JobState.WAITING, JobState.READY, JobState.LANDED, JobState.DONE),
    JobState.LANDED: (JobState.PUBLISHING, JobState.DONE),
    JobState.PUBLISHING: (JobState.LANDED, JobState.DONE),
    JobState.DONE: (),
}
_ARRIVALS = ("submitted", "replaced", "retried")
# What the queue says of a held job that was told to go on.
_WITHOUT = "it was told to go on without"
# How the list of those that a job goes before ends, where it is too long to be told.
_MORE = re.compile(r"and [0-9]+ more")


class Replay:
    """Follows the stream of a history; `problems` are the rules it has seen broken."""

    def __init__(self, history: History) -> None:
        self.problems: list[str] = []
        self.counts: Counter[str] = Counter()
        self._books = Books()
        self._specs: Mapping[tuple[str, str], JobSpec] = {
            (request.id, job.identity): job for request in history.requests for job in request.jobs
        }
        self._workers: dict[str, tuple[str, int]] = {
            word.actor: (word.told["name"], word.told["class"])
            for word in history.words
            if word.kind == "claim"
        }
        self._is_paused = False
        self._broken: dict[int, set[int]] = {}
        self._removals: set[int] = set()
        for change in history.changes:
            self._follow(change)
        for life in self._books.open.values():
            self._tell(life, f"has not ended, it is {life.state}")

    @property
    def jobs(self) -> dict[int, Life]:
        """All jobs that there ever were."""
        return self._books.jobs

    def _follow(self, change: Change) -> None:
        if change.kind != "cycle":
            # Several that are broken in one step are those of the graph before.
            for job, skips in self._broken.items():
                self.jobs[job].skips |= skips
            self._broken.clear()
        self.counts[change.kind] += 1
        if change.kind == "removal":
            self._removals.add(change.job)
        if change.job == 0:
            self._is_paused = change.kind == "paused" or (
                self._is_paused and change.kind != "resumed"
            )
        elif change.kind in _ARRIVALS:
            self._arrive(change)
        elif change.job not in self._removals:
            self._go_on(change)

    def _arrive(self, change: Change) -> None:
        spec = self._specs.get((change.request, change.identity))
        if spec is None:
            self.problems.append(f"{change.id}: nobody submitted {change.identity} like that")
            return
        life = self.jobs.get(change.job)
        if change.kind == "replaced":
            if life is None or life.state not in PENDING:
                self.problems.append(f"{change.id}: job {change.job} is replaced, but not pending")
                return
            self._books.replace(life, spec)
        elif life is not None:
            self._tell(life, f"is {change.kind} a second time", change)
            return
        else:
            if self._books.pending(change.identity) is not None:
                self.problems.append(f"{change.id}: {change.identity} is pending twice")
            life = Life(change.job, change.identity, spec, change.state)
            self._books.add(life)
        if change.kind != "retried":
            life.requests.append(change.request)

    def _go_on(self, change: Change) -> None:
        life = self.jobs.get(change.job)
        if life is None:
            self.problems.append(f"{change.id}: {change.kind} of job {change.job}, never submitted")
        elif life.state != JobState.DONE:
            self._note(life, change)
            self._move(life, change)
        elif change.kind != "quarantined":
            self._tell(life, f"is {change.kind} after its end", change)

    def _note(self, life: Life, change: Change) -> None:
        match change.kind:
            case "claimed":
                self._check_claim(life, change)
                life.attempt += 1
                life.holder = change.worker
                self._books.stop_skipping(life)
            case "publishing":
                life.holder = change.worker
            case "landed":
                self._check_holder(life, change)
            case "expired" if life.state == JobState.BUILDING:
                life.losses += 1
            case "promoted":
                life.rank = self.counts["promoted"]
            case "cycle":
                life.was_in_cycle = True
                self._broken[life.id] = self._check_cycle(life, change)
            case "done":
                self._check_end(life, change)
                life.outcome = change.outcome

    def _move(self, life: Life, change: Change) -> None:
        if not change.state or change.state == life.state:
            return
        if change.state not in _NEXT[life.state]:
            self._tell(life, f"goes from {life.state} to {change.state}", change)
        life.state = change.state
        if life.state == JobState.DONE:
            self._books.end(life, Outcome(int(change.outcome)))

    def _check_claim(self, life: Life, change: Change) -> None:
        if self._is_paused:
            self._tell(life, "is claimed in a pause", change)
        if change.attempt != life.attempt + 1:
            self._tell(life, f"is claimed as attempt {change.attempt}", change)
        for other in self._books.open.values():
            if other.identity == life.identity and other.state in ACTIVE:
                self._tell(life, f"is started while job {other.id} of it is running", change)
        for other in self._books.blockers(life):
            # To go before somebody who waits for it is the way out of a cycle.
            if not (other.id in life.skips and other.state in PENDING):
                what = f"is started before {other.identity} (job {other.id}), which it depends on"
                self._tell(life, what, change)
        if _WITHOUT not in change.reason:
            for identity in self._books.held_for(life):
                self._tell(life, f"is started although {identity} failed", change)
        self._check_turn(life, change)

    def _check_cycle(self, life: Life, change: Change) -> set[int]:
        """Return the jobs that the queue says `life` goes before, which have to wait for it."""
        allowed = self._books.skipped_now(life)
        reason = change.reason.removeprefix("goes before ").partition(", which it depends on")[0]
        *_, last = identities = reason.split(", ")
        if _MORE.fullmatch(last):
            return allowed
        # No more than it says: whoever is believed to skip too much closes no cycle later.
        said = {job for job in allowed if self.jobs[job].identity in identities}
        for identity in set(identities) - {self.jobs[job].identity for job in said}:
            self._tell(life, f"goes before {identity}, which does not wait for it", change)
        return said

    def _check_turn(self, life: Life, change: Change) -> None:
        if change.worker not in self._workers:
            self._tell(life, f"is claimed by {change.worker}, who never asked for one", change)
            return
        if not self._may_build(change.worker, life):
            self._tell(life, f"of class {life.spec.build_class} is not for {change.worker}", change)
        for other in self._books.open.values():
            if (
                other.turn < life.turn
                and other.state == JobState.READY
                and self._may_build(change.worker, other)
            ):
                self._tell(life, f"is claimed before job {other.id}, whose turn it is", change)

    def _check_holder(self, life: Life, change: Change) -> None:
        if change.worker != life.holder:
            self._tell(life, f"{change.kind} by {change.worker}, held by {life.holder}", change)

    def _check_end(self, life: Life, change: Change) -> None:
        """Check the ends that only the queue itself may bring about."""
        outcome = Outcome(int(change.outcome))
        is_held = life.state in {JobState.BUILDING, JobState.PUBLISHING}
        if is_held:
            self._check_holder(life, change)
        elif outcome != Outcome.CANCELED:
            self._tell(life, f"ends as {outcome.name}, said by nobody", change)
        if outcome == Outcome.CANCELED_REQUEUE and self._books.pending(life.identity) is None:
            self._tell(life, "made way for a successor that is not there", change)
        if outcome == Outcome.SOFTWARE_FAILURE and life.losses + 1 < BACKOFF.losses:
            self._tell(life, f"is given up after {life.losses + 1} losses", change)

    def _may_build(self, worker: str, life: Life) -> bool:
        name, build_class = self._workers[worker]
        wanted = life.spec.build_class
        return int(wanted) <= build_class if wanted.isdigit() else wanted == name

    def _tell(self, life: Life, what: str, change: Change | None = None) -> None:
        place = f"{change.id}: " if change is not None else ""
        self.problems.append(f"{place}job {life.id} ({life.identity}) {what}")
