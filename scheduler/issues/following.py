"""Takes note of packages that fail, and of those that are published."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scheduler.following import unseen
from scheduler.issues.model import Report
from scheduler.job import Outcome
from scheduler.links import commit_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from scheduler.outbox import Outbox
    from scheduler.queue import Event, QueueReader

OUTBOX = "issues"

_FAILURES = {
    Outcome.FAILED: "the build failed",
    Outcome.TIMED_OUT: "the build took too long",
    Outcome.SOFTWARE_FAILURE: "the build was lost with its workers, too often",
}
_SUCCESSES = frozenset({Outcome.SUCCESS, Outcome.ALREADY_BUILT})


class IssueFollower:
    """An EventConsumer. What happened before it came for the first time is not told."""

    name = "issues"

    def __init__(self, queue: QueueReader, outbox: Outbox, source_repos: Collection[str]) -> None:
        self._queue = queue
        self._outbox = outbox
        self._source_repos = frozenset(source_repos)

    def position(self) -> str:
        """Return the id of the last event that was dealt with."""
        return self._outbox.position(self._queue.last_event_id)

    def consume(self, events: Sequence[Event]) -> None:
        """Put how each package came out into the outbox. Raises TemporaryError."""
        after = self.position()
        events = unseen(events, after)
        if not events:
            return
        waiting = Report.all_of(self._outbox.entries())
        entries: dict[str, str] = {}
        for event in events:
            report = self._report(event)
            if report is None:
                continue
            before = waiting.get(report.identity)
            if before and before.has_failed and report.has_failed:
                report = replace(report, count=before.count + 1)
            waiting[report.identity] = report
            entries[report.identity] = report.to_json()
        self._outbox.write(entries, after=after, position=events[-1].id)

    def _report(self, event: Event) -> Report | None:
        if event.kind != "done" or event.outcome not in {*_FAILURES, *_SUCCESSES}:
            return None
        spec = self._queue.spec(event.job_id)
        if spec is None or spec.source_repo not in self._source_repos:
            return None
        how = _FAILURES.get(event.outcome, "")
        return Report(
            source_repo=spec.source_repo,
            identity=spec.identity,
            how=f"{how}: {event.failure}" if how and event.failure else how,
            reason=event.reason if how else "",
            commit=commit_of(spec.commit_reference, spec.commit)[0],
            job_id=event.job_id,
            attempt=event.attempt,
            time=event.time,
        )
