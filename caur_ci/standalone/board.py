"""What the queue's events say about each job, kept for the eye and for the verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scheduler.job import JobState, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler.queue import Event


@dataclass(slots=True, kw_only=True)
class JobProgress:
    """The way of one job so far.

    `claimed_at` and `done_at` count events, for what came before what; 0 is not yet.
    `started` and `finished` are Unix times.
    """

    job_id: int
    pkgbase: str
    state: JobState = JobState.WAITING
    outcome: Outcome | None = None
    worker: str = ""
    attempt: int = 0
    reason: str = ""
    claimed_at: int = 0
    done_at: int = 0
    started: float = 0.0
    finished: float = 0.0

    @property
    def seconds(self) -> float:
        """How long it took from the first hand-out to the end."""
        return max(0.0, self.finished - self.started) if self.finished else 0.0


@dataclass(slots=True)
class JobBoard:
    """All jobs of a run, and how many removals were carried out."""

    jobs: dict[int, JobProgress] = field(default_factory=dict)
    removals_open: int = 0
    removals_done: int = 0
    removal_errors: list[str] = field(default_factory=list)
    _count: int = 0

    def apply(self, event: Event) -> JobProgress | None:
        """Take in one event, and return the job that it is about."""
        self._count += 1
        if event.kind == "removal":
            self._apply_removal(event)
            return None
        if not event.job_id or event.state is None:
            return None
        job = self.jobs.setdefault(
            event.job_id,
            JobProgress(job_id=event.job_id, pkgbase=event.identity.rpartition("/")[2]),
        )
        job.state = event.state
        if event.kind == "claimed":
            # The rest of the id tells apart workers of one name.
            job.worker = event.worker.rpartition("-")[0]
            job.attempt = event.attempt
            job.claimed_at = self._count
            job.started = job.started or event.time
        elif event.kind == "done":
            job.outcome = event.outcome
            job.reason = event.reason
            job.done_at = self._count
            job.finished = event.time
        return job

    def _apply_removal(self, event: Event) -> None:
        if event.state is JobState.WAITING:
            self.removals_open += 1
        elif event.state is JobState.DONE:
            self.removals_open -= 1
            self.removals_done += 1
            if event.outcome is not Outcome.SUCCESS:
                self.removal_errors.append(event.reason or "no reason was given")

    @property
    def is_idle(self) -> bool:
        """Whether everything that was submitted has come to its end."""
        done = all(job.state is JobState.DONE for job in self.jobs.values())
        return done and not self.removals_open

    def __iter__(self) -> Iterator[JobProgress]:
        """Jobs in the order in which they were handed out; what was not comes last."""
        return iter(
            sorted(self.jobs.values(), key=lambda c: (not c.claimed_at, c.claimed_at, c.job_id))
        )
