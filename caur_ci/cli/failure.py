"""A job of the queue that failed, explained with what this machine knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.errors import GitError
from caur_ci.git import GitRepository
from scheduler.diagnosis import FolderCommit, explain
from scheduler.history import PastJob

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from scheduler.diagnosis import Explanation, GoodBuilds, LogReader
    from scheduler.queue import JobView, QueueReader

_MOST_COMMITS = 100


def explained_failure(
    queue: QueueReader,
    job: JobView,
    *,
    logs: LogReader,
    history: GoodBuilds | None = None,
    repo: Path,
) -> Explanation | None:
    """Return why a job failed, None where it did not, or nothing is known of it any more.

    In the clone `repo`, if it is one, are looked up the commits since the last good build. Raises
    TemporaryError.
    """
    spec = queue.spec(job.job_id)
    if spec is None or job.outcome is None:
        return None
    past = PastJob(
        job_id=job.job_id,
        target_repo=spec.target_repo,
        arch=spec.arch,
        pkgbase=spec.pkgbase,
        source_repo=spec.source_repo,
        commit=spec.commit,
        build_class=job.build_class,
        outcome=job.outcome,
        failure=job.failure,
        reason=job.reason,
        worker=job.worker,
        attempt=job.attempt,
        submitted=job.submitted,
        started=job.started,
        landed=job.landed,
        finished=job.finished,
    )
    return explain(past, logs=logs, history=history, commits=CloneCommits(repo))


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
