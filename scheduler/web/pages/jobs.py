"""Jobs as pages show them, whether the queue or the history knows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.errors import TemporaryError
from scheduler.job import JobState, Usage

if TYPE_CHECKING:
    from scheduler.history import PastJob, PublishedFile
    from scheduler.job import FailureClass, JobSpec, Outcome
    from scheduler.queue import JobView
    from scheduler.web.services import WebServices


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownJob:
    """One job. What is not known is empty, 0 or None; times are Unix times."""

    job_id: int
    identity: str
    state: JobState = JobState.DONE
    build_class: str = ""
    attempt: int = 0
    worker: str = ""
    outcome: Outcome | None = None
    failure: FailureClass | None = None
    reason: str = ""
    asked_for: str = ""
    submitted: float = 0.0
    started: float = 0.0
    landed: float = 0.0
    finished: float = 0.0
    source_repo: str = ""
    commit: str = ""
    commit_reference: str = ""
    tree: str = ""
    request_id: str = ""
    generation: str = ""
    quarantined: bool = False
    usage: Usage = field(default_factory=Usage)
    files: tuple[PublishedFile, ...] = ()
    past: PastJob | None = None

    @property
    def pkgbase(self) -> str:
        """The package."""
        return self.identity.rpartition("/")[2]

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.state is JobState.DONE

    @property
    def build_seconds(self) -> float | None:
        """How long the last attempt took until it was built or failed."""
        if not self.started or not (self.landed or self.finished):
            return None
        return max(0.0, (self.landed or self.finished) - self.started)


def find_job(services: WebServices, job_id: int) -> ShownJob | None:
    """Return a job, None where nobody knows it.

    Raises TemporaryError where the one who may know it is out of reach.
    """
    past = services.history.job(job_id) if services.history is not None else None
    try:
        view = services.queue.job(job_id)
    except TemporaryError:
        if past is None:
            raise
        return from_past(past)
    if view is not None and view.state is not JobState.DONE:
        return _running(view, services.queue.spec(job_id))
    if past is not None:
        return from_past(past, quarantined=view is not None and view.quarantined)
    return _running(view, services.queue.spec(job_id)) if view is not None else None


def from_past(past: PastJob, *, quarantined: bool = False) -> ShownJob:
    """Return a job that the history knows."""
    return ShownJob(
        job_id=past.job_id,
        identity=past.identity,
        build_class=past.build_class,
        attempt=past.attempt,
        worker=past.worker,
        outcome=past.outcome,
        failure=past.failure,
        reason=past.reason,
        submitted=past.submitted,
        started=past.started,
        landed=past.landed,
        finished=past.finished,
        source_repo=past.source_repo,
        commit=past.commit,
        commit_reference=past.commit_reference,
        tree=past.tree,
        request_id=past.request_id,
        generation=past.generation,
        quarantined=quarantined,
        usage=past.usage,
        files=past.files,
        past=past,
    )


def from_view(view: JobView) -> ShownJob:
    """Return a job that the queue knows."""
    return _running(view, None)


def _running(view: JobView, spec: JobSpec | None) -> ShownJob:
    return ShownJob(
        job_id=view.job_id,
        identity=view.identity,
        state=view.state,
        build_class=view.build_class,
        attempt=view.attempt,
        worker=view.worker,
        outcome=view.outcome,
        failure=view.failure,
        reason=view.reason,
        asked_for=spec.reason if spec else "",
        submitted=view.submitted,
        started=view.started,
        landed=view.landed,
        finished=view.finished,
        source_repo=spec.source_repo if spec else "",
        commit=spec.commit if spec else "",
        commit_reference=spec.commit_reference if spec else "",
        quarantined=view.quarantined,
    )
