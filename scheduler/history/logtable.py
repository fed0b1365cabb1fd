"""Which logs are on disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scheduler.history.model import PastLog

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from scheduler.history.database import Database

_COLUMNS = ("job_id", "attempt", "identity", "started", "size", "stored", "path")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLog:
    """A log on disk: `size` bytes, `stored` of them on disk, in the file `path` of the archive."""

    job_id: int
    attempt: int
    identity: str
    started: float
    size: int
    stored: int
    path: str

    @property
    def past(self) -> PastLog:
        """What others have to know of it."""
        return PastLog(
            job_id=self.job_id,
            attempt=self.attempt,
            started=self.started,
            size=self.size,
            ended=True,
            kept=True,
        )


class LogTable:
    """The index of the archived logs. Every method raises TemporaryError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, job_id: int, attempt: int) -> KeptLog | None:
        """Return the log of an attempt at a job."""
        found = self._find("job_id = ? AND attempt = ?", job_id, attempt)
        return found[0] if found else None

    def of_package(self, identity: str) -> list[KeptLog]:
        """Return the logs of an identity, the oldest first."""
        return self._find("identity = ?", identity)

    def of_job(self, job_id: int) -> list[KeptLog]:
        """Return the logs of a job."""
        return self._find("job_id = ?", job_id)

    def paths(self) -> dict[str, KeptLog]:
        """Return all logs by the names of their files."""
        return {log.path: log for log in self._find("1")}

    def begun_before(self, time: float) -> list[KeptLog]:
        """Return the logs that were begun before a Unix time, the oldest first."""
        return self._find("started < ?", time)

    def beyond(self, largest: int) -> list[KeptLog]:
        """Return the oldest logs, without which the others have at most `largest` bytes on disk."""
        total = sum(row["stored"] for row in self._database.read("SELECT stored FROM logs"))
        gone = []
        for log in self._find("1") if total > largest else ():
            if total <= largest:
                break
            total -= log.stored
            gone.append(log)
        return gone

    def add(self, log: KeptLog) -> None:
        """Add a log, in place of what was known of that attempt."""
        with self._database.change() as change:
            change.execute(_INSERT, [getattr(log, name) for name in _COLUMNS])

    def remove(self, logs: Iterable[KeptLog]) -> None:
        """Forget logs."""
        with self._database.change() as change:
            change.executemany("DELETE FROM logs WHERE path = ?", [(log.path,) for log in logs])

    def _find(self, condition: str, *values: float | str) -> list[KeptLog]:
        question = f"SELECT * FROM logs WHERE {condition} ORDER BY started, job_id, attempt"  # noqa: S608
        return [_log_of(row) for row in self._database.read(question, values)]


_INSERT = "INSERT OR REPLACE INTO logs VALUES (?, ?, ?, ?, ?, ?, ?)"


def _log_of(row: sqlite3.Row) -> KeptLog:
    values: dict[str, Any] = {name: row[name] for name in _COLUMNS}
    return KeptLog(**values)
