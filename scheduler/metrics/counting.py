"""Counts what happens in the queue."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from scheduler.connection import redis_errors
from scheduler.following import unseen
from scheduler.job import JobState, Outcome
from scheduler.metrics import definitions as m
from scheduler.metrics.tallies import Additions
from scheduler.queue import keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler.metrics.tallies import Tallies
    from scheduler.queue import Event, QueueReader

OTHER = "other"
_RESULTS = {
    Outcome.SUCCESS: "published",
    Outcome.ALREADY_BUILT: "unchanged",
    Outcome.FAILED: "refused",
}
_BUILT = frozenset({Outcome.FAILED, Outcome.TIMED_OUT, Outcome.SKIPPED, Outcome.ALREADY_BUILT})
_LOST = {"returned": "handed back", "expired": "not heard of"}
_HIGHEST_CLASS = 99


class Labels:
    """Keeps labels to what there is a bounded number of; all else is one value, `other`."""

    def __init__(self, repositories: frozenset[str], workers: frozenset[str]) -> None:
        self._repositories = repositories
        self._workers = workers

    @classmethod
    def of(cls, queue: QueueReader) -> Labels:
        """Take what the queue knows. Raises TemporaryError."""
        with redis_errors():
            # As Lua's heard_of() writes them: class and name.
            found = cast("list[bytes]", queue.client.hvals(keys.WORKERS))
        workers = frozenset(worker.decode().partition(" ")[2] for worker in found)
        return cls(frozenset(queue.repositories().targets), workers)

    def repository(self, name: str) -> str:
        """Return a target repository that a service has named."""
        return name if name in self._repositories else OTHER

    def build_class(self, name: str) -> str:
        """Return a class: a small number, or the name of a worker that is there."""
        if re.fullmatch(r"[0-9]{1,2}", name) and int(name) <= _HIGHEST_CLASS:
            return str(int(name))
        return name if name in self._workers else OTHER


class EventCounter:
    """An EventConsumer, from the very first event on that the queue knows."""

    name = "metrics"

    def __init__(self, queue: QueueReader, tallies: Tallies) -> None:
        self._queue = queue
        self._tallies = tallies

    def position(self) -> str:
        """Return the id of the last event that was counted."""
        return self._tallies.position()

    def consume(self, events: Sequence[Event]) -> None:
        """Count the events. Raises TemporaryError."""
        after = self._tallies.position()
        events = unseen(events, after)
        if not events:
            return
        counting = _Counting(Labels.of(self._queue), self._tallies.marks())
        for event in events:
            counting.take(event)
        counting.added.set_time(m.EVENTS_COUNTED, events[-1].time)
        self._tallies.add(counting.added, after=after, position=events[-1].id)


class _Counting:
    """What some events add. A mark of a job is when it was built, or publishing began."""

    def __init__(self, labels: Labels, marks: dict[str, int]) -> None:
        self._labels = labels
        self._marks = marks
        self.added = Additions()

    def take(self, event: Event) -> None:
        if event.kind == "removal":
            self._take_removal(event)
        elif event.kind == "reset":
            self.added.marks.update(dict.fromkeys(self._marks))
            self._marks.clear()
        elif event.job_id:
            self._take_job(event)

    def _take_job(self, event: Event) -> None:
        repository = self._labels.repository(event.identity.partition("/")[0])
        build_class = self._labels.build_class(event.build_class)
        added = self.added
        if event.kind in {"submitted", "retried", "restored"}:
            added.count(m.JOBS_SUBMITTED, repository)
        elif event.kind == "claimed":
            if event.attempt <= 1:
                added.observe(m.JOB_WAIT_SECONDS, event.time - event.submitted, build_class)
        elif event.kind == "landed":
            added.observe(m.BUILD_SECONDS, event.time - event.started, build_class)
            self._mark(event, "landed")
        elif event.kind == "publishing":
            self._mark(event, "publishing")
        elif event.kind in _LOST:
            added.count(m.BUILDS_LOST, _LOST[event.kind])
        elif event.kind == "done" and event.outcome is not None:
            self._take_end(event, event.outcome, repository, build_class)

    def _take_end(self, event: Event, outcome: Outcome, repository: str, build_class: str) -> None:
        added = self.added
        added.count(m.BUILDS, repository, build_class, outcome.name.lower())
        if event.failure is not None:
            added.count(m.BUILD_FAILURES, repository, str(event.failure))
        landed, publishing = self._unmark(event, "landed"), self._unmark(event, "publishing")
        if landed is None:
            if event.started and outcome in _BUILT:
                added.observe(m.BUILD_SECONDS, event.time - event.started, build_class)
            return
        if result := _RESULTS.get(outcome):
            added.count(m.DELIVERIES, repository, result)
        if publishing is not None:
            added.observe(m.PUBLISH_SECONDS, event.time - publishing / 1000, repository)
        if outcome is Outcome.SUCCESS:
            added.set_time(m.LAST_PUBLICATION, event.time, repository)

    def _take_removal(self, event: Event) -> None:
        if event.state is JobState.DONE and event.outcome is not None:
            repository = self._labels.repository(event.identity.partition("/")[0])
            self.added.count(m.REMOVALS, repository, event.outcome.name.lower())

    def _mark(self, event: Event, what: str) -> None:
        key, time = f"{what}:{event.job_id}", round(event.time * 1000)
        self._marks[key] = time
        self.added.marks[key] = time

    def _unmark(self, event: Event, what: str) -> int | None:
        key = f"{what}:{event.job_id}"
        found = self._marks.pop(key, None)
        if found is not None:
            self.added.marks[key] = None
        return found
