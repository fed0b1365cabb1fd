"""Makes notes of what happens in the queue, for those who want to know."""

from __future__ import annotations

import time
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from scheduler.following import unseen
from scheduler.job import JobState, Outcome
from scheduler.links import commit_link, commit_of, started_of
from scheduler.logs import LogStore
from scheduler.notifications.model import Note, entry_key
from scheduler.settings.telling import Told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from scheduler.outbox import Outbox
    from scheduler.queue import Event, QueueReader
    from scheduler.settings.telling import NotificationTarget

OUTBOX = "notifications"
# For each target; what is older makes room.
_MOST_WAITING = 5000
_LONGEST_REASON = 200
_LOOKED_EVERY = 3600.0

_ENDS = {
    Outcome.SUCCESS: Told.DEPLOYED,
    Outcome.FAILED: Told.FAILED,
    Outcome.TIMED_OUT: Told.TIMED_OUT,
    Outcome.SOFTWARE_FAILURE: Told.SOFTWARE_FAILURE,
}


class Noticer:
    """An EventConsumer. What happened before it came for the first time is not told.

    It remembers by whom the jobs are built that are not done yet: when they are, somebody else has
    them.
    """

    name = "notifications"

    def __init__(
        self,
        queue: QueueReader,
        outbox: Outbox,
        targets: Sequence[NotificationTarget],
        repository_urls: Mapping[str, str],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._queue = queue
        self._outbox = outbox
        self._targets = targets
        self._urls = repository_urls
        self._logs = LogStore(queue.client)
        self._clock = clock
        self._next_look = 0.0

    def position(self) -> str:
        """Return the id of the last event that was dealt with."""
        return self._outbox.position(self._queue.last_event_id)

    def consume(self, events: Sequence[Event]) -> None:
        """Put what has to be told into the outbox. Raises TemporaryError."""
        after = self.position()
        events = unseen(events, after)
        if not events:
            self._forget()
            return
        nodes = self._outbox.notes_of(str(event.job_id) for event in events)
        entries: dict[str, str] = {}
        changes: dict[str, str | None] = {}
        for event in events:
            job = str(event.job_id)
            if event.kind == "claimed":
                nodes[job] = changes[job] = _name_of(event.worker)
            elif event.kind == "done" and job in nodes:
                changes[job] = None
            note = self._note(event, nodes.get(job, ""))
            for target in self._targets:
                if note is not None and wants(target, note):
                    entries[entry_key(target.name, event.id)] = note.to_json()
        self._outbox.write(entries, notes=changes, after=after, position=events[-1].id)
        if entries and self._outbox.size() > _MOST_WAITING:
            self._make_room()

    def _note(self, event: Event, node: str) -> Note | None:
        if event.state is not JobState.DONE or event.outcome is None:
            return None
        if event.kind == "removal":
            return _of_removal(event)
        return self._of_job(event, node) if event.kind == "done" else None

    def _of_job(self, event: Event, node: str) -> Note | None:
        told = _ENDS.get(event.outcome) if event.outcome is not None else None
        if told is None:
            return None
        repository, arch, pkgbase = event.identity.split("/", 2)
        spec = self._queue.spec(event.job_id)
        url = ""
        if spec is not None:
            commit, _ = commit_of(spec.commit_reference, spec.commit)
            url = commit_link(self._urls.get(spec.source_repo, ""), commit)
        return Note(
            told=told,
            repository=repository,
            time=event.time,
            arch=arch,
            pkgbase=pkgbase,
            node=node,
            log_started=started_of(self._logs, event.identity, event.job_id, event.attempt) or 0.0,
            commit_url=url,
            reason=event.reason[:_LONGEST_REASON],
        )

    def _forget(self) -> None:
        """Forget who builds jobs that have ended without an event that was seen."""
        if self._clock() < self._next_look:
            return
        self._next_look = self._clock() + _LOOKED_EVERY
        ended = {
            job: None
            for job in self._outbox.notes()
            if (view := self._queue.job(int(job))) is None or view.state is JobState.DONE
        }
        self._outbox.change_notes(ended)

    def _make_room(self) -> None:
        """Lose the oldest notes of targets for which too many wait."""
        found: dict[str, list[str]] = {}
        for key in self._outbox.entries():
            found.setdefault(key.partition(" ")[0], []).append(key)
        for keys in found.values():
            keys.sort(key=_place)
            self._outbox.drop(keys[:-_MOST_WAITING])


def wants(target: NotificationTarget, note: Note) -> bool:
    """Tell whether somebody wants to be told."""
    if note.told not in target.events:
        return False
    if target.repositories and note.repository not in target.repositories:
        return False
    if not target.packages or not note.pkgbase:
        return True
    return any(fnmatchcase(note.pkgbase, pattern) for pattern in target.packages)


def _of_removal(event: Event) -> Note | None:
    if event.outcome is Outcome.CANCELED:
        return None
    good = event.outcome in {Outcome.SUCCESS, Outcome.ALREADY_BUILT}
    repository, _, arch = event.identity.partition("/")
    return Note(
        told=Told.CLEANUP if good else Told.CLEANUP_FAILED,
        repository=repository,
        arch=arch,
        time=event.time,
        reason="" if good else event.reason[:_LONGEST_REASON],
    )


def _name_of(worker: str) -> str:
    """Return the name of a worker: its id ends with what no other process has."""
    name, _, unique = worker.rpartition("-")
    return name if name and len(unique) == 10 else worker


def _place(key: str) -> tuple[int, int]:
    first, _, second = key.partition(" ")[2].partition("-")
    return int(first), int(second or 0)
