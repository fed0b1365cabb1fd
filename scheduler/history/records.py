"""Jobs as rows of tables, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scheduler.history.model import PastJob, PublishedFile
from scheduler.job import FailureClass, Outcome, Usage

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

# Columns that are named like the fields of PastJob.
_ALIKE = (
    *("job_id", "target_repo", "arch", "pkgbase", "source_repo", "build_class", "reason"),
    *("request_id", "commit_reference", "tree", "worker", "attempt", "submitted", "started"),
    *("landed", "finished", "generation"),
)
_OTHERS = ("identity", "commit_id", "outcome", "failure", "peak_memory", "cpu_seconds")
JOB_COLUMNS = (*_ALIKE, *_OTHERS)
FILE_COLUMNS = ("name", "version", "filename", "size")


def row_of(job: PastJob) -> tuple[Any, ...]:
    """Return the values of JOB_COLUMNS."""
    return (
        *(getattr(job, name) for name in _ALIKE),
        job.identity,
        job.commit,
        int(job.outcome),
        job.failure,
        job.usage.peak_memory,
        job.usage.cpu_seconds,
    )


def job_of(row: sqlite3.Row, files: Iterable[sqlite3.Row]) -> PastJob:
    """Return the job of a row, with its files in order."""
    return PastJob(
        **{name: row[name] for name in _ALIKE},
        commit=row["commit_id"],
        outcome=Outcome(row["outcome"]),
        failure=_failure(row["failure"]),
        usage=Usage(peak_memory=row["peak_memory"], cpu_seconds=row["cpu_seconds"]),
        files=tuple(PublishedFile(**{name: file[name] for name in FILE_COLUMNS}) for file in files),
    )


def marks(values: Sequence[Any]) -> str:
    """Return as many question marks, for a statement."""
    return ", ".join("?" * len(values))


def _failure(text: str | None) -> FailureClass | None:
    try:
        return FailureClass(text) if text else None
    except ValueError:  # of a later version
        return FailureClass.UNKNOWN
