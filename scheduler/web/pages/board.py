"""The queue as the first page shows it; one look serves everybody who asks at the same time."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from scheduler.web.pages.outlook import look_ahead

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scheduler.queue import GroupView, JobView, QueueSnapshot, RemovalView, WorkerView
    from scheduler.web.services import WebServices

# More jobs of a kind than this are not looked at; lists of them are cut there.
MOST_JOBS = 2000
_FRESH = 2.0
# Of each rebuild group, so many members of a kind.
_MEMBERS = 200
_FORECASTS_FRESH = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardView:
    """The queue at one instant, and what is expected of it.

    `forecasts` are seconds by identity, `starts` and `ends` Unix times by job id. `next` are the
    jobs that are ready, wait or are delayed, in order of when they are likely to begin. `removals`
    and `groups` are those that are not finished.
    """

    snapshot: QueueSnapshot
    forecasts: Mapping[str, float] = field(default_factory=dict)
    starts: Mapping[int, float] = field(default_factory=dict)
    ends: Mapping[int, float] = field(default_factory=dict)
    next: tuple[JobView, ...] = ()
    removals: tuple[RemovalView, ...] = ()
    groups: tuple[GroupView, ...] = ()

    @property
    def builders(self) -> list[WorkerView]:
        """The workers that build."""
        return [worker for worker in self.snapshot.workers if worker.build_class]

    @property
    def busy(self) -> int:
        """How many of them are at work."""
        return sum(bool(worker.jobs) for worker in self.builders)

    @property
    def names(self) -> dict[int, str]:
        """The packages of running jobs, by job id."""
        return {job.job_id: job.identity.rpartition("/")[2] for job in self.snapshot.active}

    @property
    def worker_names(self) -> dict[str, str]:
        """The names of workers, by their ids."""
        return {worker.id: worker.name for worker in self.snapshot.workers}

    def more_next(self, shown: int) -> bool:
        """Tell whether more jobs wait than are shown."""
        return self.total_next > shown

    @property
    def total_next(self) -> int:
        """How many jobs are ready, wait or are delayed."""
        queue = self.snapshot
        return queue.total_ready + queue.total_waiting + queue.total_delayed


class Board:
    """Looks at the queue, at most once in two seconds however many ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._view: BoardView | None = None
        self._looked = 0.0
        self._forecasts: dict[str, float | None] = {}
        self._forgotten = 0.0

    def look(self, services: WebServices) -> BoardView:
        """Return the queue as it is, or was two seconds ago. Raises TemporaryError."""
        with self._lock:
            if self._view is None or time.monotonic() - self._looked > _FRESH:
                self._view = self._new_view(services)
                self._looked = time.monotonic()
            return self._view

    def _new_view(self, services: WebServices) -> BoardView:
        snapshot = services.queue.snapshot(limit=MOST_JOBS)
        jobs = chain(snapshot.active, snapshot.ready, snapshot.waiting)
        forecasts = self._forecasts_of({job.identity for job in jobs}, services)
        outlook = look_ahead(snapshot, forecasts)
        never = float("inf")
        # Where it is known when others begin, a job without a time has nobody to build it.
        at_once = never if outlook.starts else snapshot.time
        expected = {job.job_id: at_once for job in snapshot.ready}
        expected |= {job.job_id: job.delayed_until for job in snapshot.delayed}
        expected |= outlook.starts
        order = sorted(
            chain(snapshot.ready, snapshot.waiting, snapshot.delayed),
            key=lambda job: expected.get(job.job_id, never),
        )
        return BoardView(
            snapshot=snapshot,
            forecasts=forecasts,
            starts=outlook.starts,
            ends=outlook.ends,
            next=tuple(order),
            removals=services.queue.removals(),
            groups=services.queue.groups(limit=_MEMBERS) if snapshot.total_groups else (),
        )

    def _forecasts_of(self, identities: Iterable[str], services: WebServices) -> dict[str, float]:
        if services.history is None:
            return {}
        if time.monotonic() - self._forgotten > _FORECASTS_FRESH:
            self._forecasts.clear()
            self._forgotten = time.monotonic()
        wanted = set(identities)
        if missing := wanted - self._forecasts.keys():
            found = services.history.forecasts(missing)
            self._forecasts |= {identity: found.get(identity) for identity in missing}
        known = ((identity, self._forecasts[identity]) for identity in wanted)
        return {identity: seconds for identity, seconds in known if seconds is not None}
