"""The history: what can be asked of it, and what is written into it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Self

from scheduler.history.database import Database
from scheduler.history.logtable import LogTable
from scheduler.history.questions import Questions
from scheduler.history.records import FILE_COLUMNS, JOB_COLUMNS, marks, row_of
from scheduler.job import Outcome

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType

    from scheduler.history.model import PastJob

_log = logging.getLogger(__name__)

_DAY = 24 * 3600.0
_POSITION = "position"


class History(Questions):
    """What happened, in the folder `path`. Safe to use from several threads.

    One process writes it at a time; others may read it meanwhile, and see what was written last.
    """

    def __init__(self, path: Path, database: Database) -> None:
        super().__init__(database)
        self.path = path
        self.logs = LogTable(database)

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False) -> Self:
        """Open the history in the folder `path`.

        Without `read_only` it is made where there is none, brought to this version's schema, and a
        damaged one is moved aside. With it, one that does not exist yet is an empty one.

        Raises HistoryError for one of a later version, TemporaryError where another process writes
        it or the disk fails, CaurError for a folder that is not ours.
        """
        return cls(path, Database(path, read_only=read_only))

    def close(self) -> None:
        """Close it; another process may write it then."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def position(self) -> str:
        """Return the id of the last event that is in here, "0" for none."""
        return self.recall(_POSITION) or "0"

    def recall(self, name: str) -> str:
        """Return what was remembered under `name`, empty for nothing."""
        rows = self._database.read("SELECT value FROM memory WHERE name = ?", [name])
        return str(rows[0]["value"]) if rows else ""

    def record(self, jobs: Iterable[PastJob], *, position: str = "", **memory: str) -> None:
        """Write jobs down, the position of the events and what else is to be remembered, at once.

        Of a job that is known already, the one that says what was built is kept.
        """
        with self._database.change() as change:
            for job in jobs:
                _write(change, job)
            known = {**memory, **({_POSITION: position} if position else {})}
            change.executemany("INSERT OR REPLACE INTO memory VALUES (?, ?)", known.items())

    def highest_job(self) -> int:
        """Return the highest id of a job that is known, 0 where there is none."""
        rows = self._database.read("SELECT max(job_id) AS highest FROM jobs WHERE job_id > 0")
        return int(rows[0]["highest"] or 0) if rows else 0

    def lowest_job(self) -> int:
        """Return the lowest of the negative ids, 0 where there is none."""
        rows = self._database.read("SELECT min(job_id) AS lowest FROM jobs WHERE job_id < 0")
        return int(rows[0]["lowest"] or 0) if rows else 0

    def unknown(self, job_ids: Iterable[int]) -> list[int]:
        """Return those of the jobs that are not in here."""
        known = {row["job_id"] for row in self._database.read("SELECT job_id FROM jobs")}
        return [job_id for job_id in job_ids if job_id not in known]

    def published_files(self) -> set[tuple[str, str]]:
        """Return the identities and file names of all that jobs are known to have published."""
        rows = self._database.read(
            "SELECT identity, filename FROM files JOIN jobs ON jobs.job_id = files.job_id"
        )
        return {(row["identity"], row["filename"]) for row in rows}

    def prune(self, *, days: int, now: float) -> int:
        """Forget jobs that ended more than `days` days ago; return how many those were.

        The last success of each package stays.
        """
        with self._database.change() as change:
            gone = change.execute(_PRUNE, [now - days * _DAY]).rowcount
            change.execute("PRAGMA incremental_vacuum").fetchall()
        return int(gone)


def _write(change: sqlite3.Connection, job: PastJob) -> None:
    known = change.execute(
        "SELECT identity, submitted, commit_id FROM jobs WHERE job_id = ?", [job.job_id]
    ).fetchone()
    if known is not None:
        if (known["identity"], known["submitted"]) != (job.identity, job.submitted):
            _log.warning(
                "job %d is %s now: that of %s is forgotten", job.job_id, job.identity, known[0]
            )
        elif known["commit_id"] and not job.commit:
            return
    change.execute(_INSERT_JOB, row_of(job))
    change.executemany(
        _INSERT_FILE,
        [
            (job.job_id, place, *(getattr(file, name) for name in FILE_COLUMNS))
            for place, file in enumerate(job.files)
        ],
    )


def _insert(table: str, columns: tuple[str, ...]) -> str:
    return f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES ({marks(columns)})"  # noqa: S608


_INSERT_JOB = _insert("jobs", JOB_COLUMNS)
_INSERT_FILE = _insert("files", ("job_id", "place", *FILE_COLUMNS))
_PRUNE = f"""
DELETE FROM jobs WHERE finished < ? AND job_id NOT IN (
    SELECT max(job_id) FROM jobs WHERE outcome = {Outcome.SUCCESS:d} GROUP BY identity
)
"""  # noqa: S608
