"""Follows the jobs whose commits somebody wants to see statuses of."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from scheduler.following import unseen
from scheduler.job import JobState
from scheduler.links import commit_of
from scheduler.statuses.model import FORGOTTEN, REPLACED, Subject, Update, state_after, state_of_end

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from scheduler.outbox import Outbox
    from scheduler.queue import Event, QueueReader
    from scheduler.statuses.model import State

OUTBOX = "statuses"
# How often it is looked whether events were missed.
_CHECKED_EVERY = 600.0

Writing = tuple[dict[str, str], dict[str, str | None]]


class StatusFollower:
    """An EventConsumer. What happened before it came for the first time is not told.

    It remembers every job whose status is not final, with the commit that it was for: a job that
    is forgotten, or gets another commit, leaves no status behind that says it is still waited for.
    """

    name = "commit statuses"

    def __init__(
        self,
        queue: QueueReader,
        outbox: Outbox,
        source_repos: Collection[str],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._queue = queue
        self._outbox = outbox
        self._source_repos = frozenset(source_repos)
        self._clock = clock
        self._next_check = 0.0

    def position(self) -> str:
        """Return the id of the last event that was dealt with."""
        return self._outbox.position(self._queue.last_event_id)

    def consume(self, events: Sequence[Event]) -> None:
        """Put the newest status of each job into the outbox. Raises TemporaryError."""
        after = self.position()
        events = unseen(events, after)
        if events:
            entries, notes = self._changes(events)
            self._outbox.write(entries, notes=notes, after=after, position=events[-1].id)
        was_reset = any(event.kind == "reset" for event in events)
        # Only when there is nothing new: what is on its way says more.
        if was_reset or (not events and self._clock() >= self._next_check):
            self._next_check = self._clock() + _CHECKED_EVERY
            self._settle(self.position())

    def _changes(self, events: Sequence[Event]) -> Writing:
        entries: dict[str, str] = {}
        notes: dict[str, str | None] = {}
        known = self._outbox.notes_of(str(event.job_id) for event in events)
        for event in events:
            shown = state_after(event)
            if shown is None or not event.job_id:
                continue
            key = str(event.job_id)
            before = known.get(key)
            subject = Subject.from_json(before) if before else None
            if event.kind == "replaced" or subject is None:
                now = self._subject(event)
                if subject and now and subject.commit != now.commit:
                    update = _update(subject, REPLACED, event.attempt, event.time)
                    entries[f"{key}:{event.id}"] = update.to_json()
                subject = now or subject
            if subject is None:
                continue
            entries[key] = _update(subject, shown, event.attempt, event.time).to_json()
            notes[key] = None if shown[0].is_final else subject.to_json()
            known[key] = notes[key] or ""
        return entries, notes

    def _subject(self, event: Event) -> Subject | None:
        """Return what the job of an event is about, None where nobody wants to know."""
        spec = self._queue.spec(event.job_id)
        if spec is None or spec.source_repo not in self._source_repos:
            return None
        commit, pipeline = commit_of(spec.commit_reference, spec.commit)
        return Subject(
            source_repo=spec.source_repo,
            commit=commit,
            pipeline=pipeline,
            identity=spec.identity,
            job_id=event.job_id,
        )

    def _settle(self, position: str) -> None:
        """Show jobs that ended or are gone without an event that we saw as what they are."""
        entries: dict[str, str] = {}
        notes: dict[str, str | None] = {}
        for key, text in self._outbox.notes().items():
            if not key.isdecimal():
                continue
            view = self._queue.job(int(key))
            if view is None:
                shown, attempt = FORGOTTEN, 0
            elif view.state is JobState.DONE and view.outcome is not None:
                shown, attempt = state_of_end(view.outcome, view.reason), view.attempt
            else:
                continue
            update = _update(Subject.from_json(text), shown, attempt, self._clock())
            entries[key], notes[key] = update.to_json(), None
        if entries:
            self._outbox.write(entries, notes=notes, after=position, position=position)


def _update(subject: Subject, shown: tuple[State, str], attempt: int, when: float) -> Update:
    state, description = shown
    return Update(subject=subject, state=state, description=description, attempt=attempt, time=when)
