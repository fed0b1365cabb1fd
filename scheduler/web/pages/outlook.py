"""When jobs are likely to start and to end, by how long their packages took before."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from scheduler.job import JobState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scheduler.queue import JobView, QueueSnapshot, WorkerView

# What takes longer than expected is expected to go on for this share of the time.
_OVERDUE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Unix times by job id; a job is missing where nothing can be said."""

    starts: Mapping[int, float] = field(default_factory=dict)
    ends: Mapping[int, float] = field(default_factory=dict)


def look_ahead(snapshot: QueueSnapshot, forecasts: Mapping[str, float]) -> Outlook:
    """Return what is likely, given how many seconds builds take, by identity.

    Where nothing is known of a package, it is taken to be an average one; where nothing is known at
    all, nothing is said. Each worker builds one job at a time, in the order of the queue, of the
    classes that it may build.
    """
    if not forecasts:
        return Outlook()
    looker = _Looker(snapshot, forecasts)
    if snapshot.paused is None:
        looker.start_ready()
        looker.start_waiting()
    return Outlook(starts=looker.starts, ends=looker.ends)


class _Looker:
    def __init__(self, snapshot: QueueSnapshot, forecasts: Mapping[str, float]) -> None:
        self._snapshot = snapshot
        self._forecasts = forecasts
        self._average = median(forecasts.values())
        self.starts: dict[int, float] = {}
        self.ends: dict[int, float] = {}
        self._ended_by: dict[str, float] = {}
        building = [job for job in snapshot.active if job.state is JobState.BUILDING]
        for job in snapshot.active:
            self._ended_by[job.identity] = snapshot.time
        for job in building:
            self._end(job, self._end_of(job), known=job.identity in forecasts)
        ends = {job.job_id: self._ended_by[job.identity] for job in building}
        self._free = {
            worker.id: max(
                (ends.get(it, snapshot.time) for it in worker.jobs), default=snapshot.time
            )
            for worker in snapshot.workers
            if worker.build_class and not (worker.draining or worker.trouble)
        }

    def start_ready(self) -> None:
        for job in self._snapshot.ready:
            self._start(job, self._snapshot.time)

    def start_waiting(self) -> None:
        """Start what waits for others once these have ended; chains take a turn for each link."""
        left = list(self._snapshot.waiting)
        while left:
            can = [job for job in left if self._are_known(job)]
            if not can:
                return
            started = {job.job_id for job in can}
            for job in can:
                self._start(job, max(self._ended_by[name] for name in job.waits_for))
            left = [job for job in left if job.job_id not in started]

    def _are_known(self, job: JobView) -> bool:
        return bool(job.waits_for) and all(name in self._ended_by for name in job.waits_for)

    def _start(self, job: JobView, earliest: float) -> None:
        able = [it for it in self._snapshot.workers if it.id in self._free and _may_build(it, job)]
        if not able:
            return
        worker = min(able, key=lambda it: (self._free[it.id], it.build_class))
        start = max(earliest, self._free[worker.id])
        self.starts[job.job_id] = start
        end = start + self._forecasts.get(job.identity, self._average)
        self._free[worker.id] = end
        self._end(job, end, known=job.identity in self._forecasts)

    def _end(self, job: JobView, end: float, *, known: bool) -> None:
        self._ended_by[job.identity] = end
        if known:
            self.ends[job.job_id] = end

    def _end_of(self, job: JobView) -> float:
        length = self._forecasts.get(job.identity, self._average)
        return max(job.started + length, self._snapshot.time + length * _OVERDUE)


def _may_build(worker: WorkerView, job: JobView) -> bool:
    return worker.may_build(job.identity.split("/")[1], job.build_class)
