"""A job that failed, explained with what the queue, the history and this clone know."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from caur_ci.errors import GitError, TemporaryError
from caur_ci.git import GitRepository
from scheduler.diagnosis import FolderCommit
from scheduler.history import job_of_record
from scheduler.job import FailureClass, JobState, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from scheduler.history import History, PastJob
    from scheduler.queue import JobView, QueueReader

_MOST_COMMITS = 100


def ended_job(job_id: int, queue: QueueReader, history: History | None) -> PastJob | None:
    """Return a job that has ended, None where it has not, or nobody knows it.

    One that waits to be tried again counts as failed. Raises TemporaryError where Redis is out of
    reach and the history does not know it.
    """
    kept = history.job(job_id) if history is not None else None
    if kept is not None:
        return kept
    record = queue.records([job_id]).get(job_id)
    if record is None:
        return None
    if _is_tried_again(record.view):
        lost = replace(
            record.view,
            outcome=Outcome.SOFTWARE_FAILURE,
            failure=FailureClass.INFRASTRUCTURE,
        )
        record = replace(record, view=lost)
    return job_of_record(record)


def last_ended_job(identity: str, queue: QueueReader, history: History | None) -> PastJob | None:
    """Return the job of a package that has ended last; see `ended_job`."""
    kept = history.of_package(identity, limit=1) if history is not None else []
    try:
        known = queue.explain(identity) if queue.find(identity) else None
    except TemporaryError:
        if not kept:
            raise
        return kept[0]
    if known is not None and known.pending is not None and _is_tried_again(known.pending):
        return ended_job(known.pending.job_id, queue, history)
    if known is None or known.last is None:
        return kept[0] if kept else None
    return ended_job(known.last.job_id, queue, history)


def _is_tried_again(job: JobView) -> bool:
    """Tell whether a build of a job was lost, so that it waits for another worker, or for later."""
    waits = job.state in {JobState.WAITING, JobState.READY}
    return waits and job.attempt > 0 and job.lost > 0


class CloneCommits:
    """The commits to package folders, as far as the clone around `repo` knows them."""

    def __init__(self, repo: Path) -> None:
        self._repo = repo

    def __call__(self, pkgbase: str, old: str, new: str) -> Sequence[FolderCommit] | None:
        """Return the commits to a folder after `old` up to `new`; see `FolderCommits`."""
        try:
            git = GitRepository.open(self._repo)
            if not (git.resolve(old) and git.resolve(new)):
                return None
            told = git.git(
                *("log", f"--max-count={_MOST_COMMITS}", "--format=%H %s", f"{old}..{new}"),
                *("--", pkgbase),
                environment={"GIT_LITERAL_PATHSPECS": "1"},
            )
        except GitError:
            return None
        pairs = (line.partition(" ") for line in told.decode(errors="replace").splitlines())
        return [FolderCommit(commit, subject) for commit, _, subject in pairs]
