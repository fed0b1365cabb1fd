"""Explains why a job failed, from its log and what is known of earlier ones. Nothing is guessed:
the same log and history give the same explanation.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from scheduler.diagnosis.differences import differences
from scheduler.diagnosis.hints import hint_for
from scheduler.diagnosis.lines import read_log, shown
from scheduler.diagnosis.model import Explanation, Parting
from scheduler.diagnosis.reproduce import reproducing_command
from scheduler.diagnosis.survey import GoodLog, Survey
from scheduler.job import FailureClass, Outcome

if TYPE_CHECKING:
    from scheduler.diagnosis.firsterror import Finding
    from scheduler.diagnosis.model import FirstError, FolderCommits, GoodBuilds, LogReader
    from scheduler.history import PastJob

_FAILED = frozenset({Outcome.FAILED, Outcome.TIMED_OUT, Outcome.SOFTWARE_FAILURE})
# Kinds whose reason tells all: the last line of a log would only lead astray.
_TOLD_BY_REASON = frozenset(
    {FailureClass.CONFIGURATION, FailureClass.INTERFERE, FailureClass.INFRASTRUCTURE}
)
_SEEKS_NETWORK = re.compile(r"which BUILDER_NETWORK denies it$")


def explain(
    job: PastJob,
    *,
    logs: LogReader,
    history: GoodBuilds | None = None,
    commits: FolderCommits | None = None,
) -> Explanation | None:
    """Return why `job` failed, None for one that did not fail.

    `history` knows the last good build, `commits` what happened to the folder since. Takes about a
    second for each 10 MB of log, and memory that does not grow with it. Raises what these raise.
    """
    if job.outcome not in _FAILED:
        return None
    good = history.last_success(job.identity, before=job.job_id) if history is not None else None
    good_log = _read_good(good, logs) if good is not None else None
    survey = Survey(good_log)
    if job.attempt:
        survey.read(read_log(logs, job.job_id, job.attempt))
    hangs = job.outcome is Outcome.TIMED_OUT or job.failure is FailureClass.STALLED
    finding = survey.search.finding(job.failure, hangs=hangs)
    error = _telling_error(job, finding)
    failure = _kind(job, finding)
    return Explanation(
        job_id=job.job_id,
        attempt=job.attempt,
        identity=job.identity,
        failure=failure,
        reason=job.reason,
        step=finding.step if error is not None else "",
        error=error,
        differences=None
        if good is None
        else differences(
            job,
            good,
            now=survey.facts,
            before=good_log.facts if good_log is not None else GoodLog().facts,
            error=error,
            commits=commits,
        ),
        parting=_parting(good, good_log, survey, error, finding.step),
        command=reproducing_command(job, survey.facts.origin),
        hint=hint_for(
            failure,
            job.outcome,
            seeks_network=_SEEKS_NETWORK.search(job.reason) is not None,
        ),
    )


def to_data(explanation: Explanation) -> dict[str, Any]:
    """Return an explanation as what JSON has: its fields, and theirs, by name."""
    return asdict(explanation)


def _read_good(good: PastJob, logs: LogReader) -> GoodLog | None:
    """Return what the log of a good build has, None where it is no longer there."""
    if not good.attempt:
        return None
    read = GoodLog.read(read_log(logs, good.job_id, good.attempt))
    return read if read.lines is None or read.lines else None


def _telling_error(job: PastJob, finding: Finding) -> FirstError | None:
    """Return the error that was found, unless it says nothing about such a failure."""
    error = finding.error
    if job.failure is FailureClass.DELIVERY:  # the build itself went well
        return None
    if error is not None and not error.certain and job.failure in _TOLD_BY_REASON:
        return None
    return error


def _kind(job: PastJob, finding: Finding) -> FailureClass | None:
    if job.failure not in {None, FailureClass.UNKNOWN}:
        return job.failure
    if job.outcome is Outcome.TIMED_OUT:
        return job.failure
    return finding.failure or job.failure


def _parting(
    good: PastJob | None,
    good_log: GoodLog | None,
    survey: Survey,
    error: FirstError | None,
    step: str,
) -> Parting | None:
    if good is None or good_log is None or error is None:
        return None
    done = set(survey.facts.steps)
    missing = next((name for name in good_log.facts.steps if name not in done), "")
    line = survey.first_new(step)
    return Parting(
        job_id=good.job_id,
        attempt=good.attempt,
        step=step,
        missing=missing,
        line=None if line is None else shown(line),
    )
