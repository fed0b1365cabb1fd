"""What can be asked of the history."""

from __future__ import annotations

import statistics
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from scheduler.history.database import Database, check_pattern
from scheduler.history.records import job_of, marks
from scheduler.job import Outcome

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from scheduler.history.model import PastJob

# What a forecast looks at: the last builds of a package that went well.
_LOOKED_AT = 5
# Fewer than SQLite takes in one statement.
_AT_ONCE = 500
_HAS_FILES = "EXISTS (SELECT 1 FROM files WHERE files.job_id = jobs.job_id)"


class Questions:
    """Questions about the past. Times are Unix times; jobs come with the newest first.

    Lists go on with `before`, the id of the last job seen.

    Every method raises TemporaryError when the file cannot be read.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def job(self, job_id: int) -> PastJob | None:
        """Return a job that has ended, None where nobody knows it."""
        return next(iter(self._jobs("job_id = ?", [job_id], limit=1)), None)

    def of_package(
        self, identity: str, *, limit: int = 50, before: int | None = None
    ) -> list[PastJob]:
        """Return the jobs of a package."""
        return self._jobs("identity = ?", [identity], limit=limit, before=before)

    def latest(
        self,
        *,
        limit: int = 50,
        before: int | None = None,
        outcomes: Collection[Outcome] | None = None,
        pattern: str = "",
    ) -> list[PastJob]:
        """Return the jobs that ended in one of `outcomes`, or in any.

        `pattern` is what their pkgbase looks like, with `*`, `?` and `[…]` as in a shell. Raises
        HistoryError for one that is too long.
        """
        conditions, values = ["1"], list[int | str]()
        if outcomes is not None:
            conditions.append(f"outcome IN ({marks(list(outcomes))})")
            values += [int(outcome) for outcome in outcomes]
        if pattern:
            conditions.append("pkgbase GLOB ?")
            values.append(check_pattern(pattern))
        return self._jobs(" AND ".join(conditions), values, limit=limit, before=before)

    def published(self, *, limit: int = 50, before: int | None = None) -> list[PastJob]:
        """Return the jobs that brought files into a repository."""
        return self._jobs(_HAS_FILES, [], limit=limit, before=before)

    def failing(self, *, limit: int = 1000) -> list[PastJob]:
        """Return the latest failure of each package that was not published since."""
        return self._jobs(_FAILS_STILL, [], limit=limit)

    def last_success(self, identity: str, *, before: int | None = None) -> PastJob | None:
        """Return the newest job of a package that was published, `before` a job if given."""
        condition = f"identity = ? AND outcome = {Outcome.SUCCESS:d}"
        return next(iter(self._jobs(condition, [identity], limit=1, before=before)), None)

    def identities(self, pkgbase: str) -> list[str]:
        """Return the packages of that name, in all repositories and architectures."""
        rows = self._database.read(
            "SELECT DISTINCT identity FROM jobs WHERE pkgbase = ? UNION "
            "SELECT DISTINCT identity FROM logs WHERE identity LIKE ? ESCAPE '\\' ORDER BY 1",
            [pkgbase, f"%/{_literally(pkgbase)}"],
        )
        return [row["identity"] for row in rows]

    def forecast(self, identity: str) -> float | None:
        """Return how many seconds a build will take: the median of the last ones that went well."""
        return self.forecasts([identity]).get(identity)

    def forecasts(self, identities: Iterable[str]) -> dict[str, float]:
        """Return the forecasts of those packages that there is one of."""
        found = {}
        for identity in set(identities):
            rows = self._database.read(_DURATIONS, [identity])
            if rows:
                found[identity] = statistics.median(max(0.0, row["seconds"]) for row in rows)
        return found

    def last_builds(self, target_repo: str) -> list[PastJob]:
        """Return the last builds of each package that forecasts are made of, the oldest first."""
        rows = self._database.read(_LAST_BUILDS, [target_repo])
        return [job_of(row, ()) for row in rows]

    def failures_by_day(self, days: int) -> list[tuple[str, str, int]]:
        """Return how many jobs failed on each of the last `days` days, by the class of failure.

        Each is an UTC date such as `2026-11-27`, a FailureClass, and the number.
        """
        rows = self._database.read(_FAILURES, [f"-{int(days)} days"])
        return [(row["day"], row["kind"], row["number"]) for row in rows]

    def totals(self) -> Mapping[Outcome, int]:
        """Return how many of the jobs that are remembered ended in which way."""
        rows = self._database.read(
            "SELECT outcome, count(*) AS number FROM jobs GROUP BY outcome ORDER BY outcome"
        )
        return {Outcome(row["outcome"]): row["number"] for row in rows}

    def _jobs(
        self, condition: str, values: Sequence[Any], *, limit: int, before: int | None = None
    ) -> list[PastJob]:
        if before is not None:
            condition, values = f"{condition} AND job_id < ?", [*values, before]
        rows = self._database.read(
            f"SELECT * FROM jobs WHERE {condition} ORDER BY job_id DESC LIMIT ?",  # noqa: S608
            [*values, max(0, limit)],
        )
        files = self._files([row["job_id"] for row in rows])
        return [job_of(row, files[row["job_id"]]) for row in rows]

    def _files(self, job_ids: Sequence[int]) -> Mapping[int, list[sqlite3.Row]]:
        found: dict[int, list[sqlite3.Row]] = defaultdict(list)
        for first in range(0, len(job_ids), _AT_ONCE):
            some = job_ids[first : first + _AT_ONCE]
            question = f"SELECT * FROM files WHERE job_id IN ({marks(some)}) ORDER BY place"  # noqa: S608
            for row in self._database.read(question, some):
                found[row["job_id"]].append(row)
        return found


_WAS_BUILT = f"outcome = {Outcome.SUCCESS:d} AND started > 0 AND landed > 0"
# An index has all that this asks for.
_DURATIONS = f"""
SELECT landed - started AS seconds FROM jobs WHERE identity = ? AND {_WAS_BUILT}
ORDER BY job_id DESC LIMIT {_LOOKED_AT}
"""  # noqa: S608

_LAST_BUILDS = f"""
SELECT * FROM (
    SELECT *, row_number() OVER (PARTITION BY identity ORDER BY job_id DESC) AS place
    FROM jobs WHERE target_repo = ? AND {_WAS_BUILT}
) WHERE place <= {_LOOKED_AT} ORDER BY job_id
"""  # noqa: S608

_FAILED = f"outcome IN ({Outcome.FAILED:d}, {Outcome.TIMED_OUT:d}, {Outcome.SOFTWARE_FAILURE:d})"

# The plus keeps SQLite from looking through all that went well, whichever package it is of.
_FAILS_STILL = f"""
job_id IN (SELECT max(job_id) FROM jobs WHERE {_FAILED} GROUP BY identity)
    AND NOT EXISTS (
        SELECT 1 FROM jobs AS good
        WHERE good.identity = jobs.identity AND good.job_id > jobs.job_id
            AND +good.outcome = {Outcome.SUCCESS:d}
    )
"""  # noqa: S608

_FAILURES = f"""
SELECT date(finished, 'unixepoch') AS day, coalesce(failure, 'unknown') AS kind,
    count(*) AS number
FROM jobs
WHERE {_FAILED} AND date(finished, 'unixepoch') > date('now', ?)
GROUP BY day, kind ORDER BY day, kind
"""  # noqa: S608


def _literally(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
