"""`caur-ci why`."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from caur_ci.cli.options import AsJson, Job, Redis, Remote, Repo
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import ExitCode
from caur_ci.names import suggestion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caur_ci.cli.queue_reasons import Log
    from caur_ci.cli.reasons import Reason
    from caur_ci.pipeline.shared.memory.holds import Hold
    from caur_ci.pipeline.shared.memory.ledger import LedgerEntry
    from scheduler.diagnosis import Explanation as FailureExplanation
    from scheduler.logs import LogStore
    from scheduler.queue import Explanation, JobView, QueueReader, WorkerView


# Reading longer logs would take more than some seconds; `caur-ci explain` does. In bytes.
_READ_AT_MOST = 16 * 1024 * 1024


def why(
    context: typer.Context,
    *,
    package: Job,
    repo: Repo = Path(),
    remote: Remote = None,
    redis: Redis = None,
    as_json: AsJson = False,
) -> int:
    """Tell why a package is not being built, or that it is.

    Whether it is in the queue and where; what it waits for, and what that waits for in turn;
    whether a worker may build it; how its latest build ended, with the first error if it failed,
    and which log tells more. In a repository of PKGBUILD folders also whether it is on hold, and
    what the latest runs decided about it, and why. What the queue has forgotten, the history
    tells where that is on this machine (HISTORY_PATH).

    Ends with 1 if nothing is known about it.
    """
    from caur_ci.cli.failure_reasons import failure_reasons  # noqa: PLC0415
    from caur_ci.cli.history_reasons import history_reasons  # noqa: PLC0415
    from caur_ci.cli.ledger_reasons import (  # noqa: PLC0415 - slow to import
        hold_reason,
        is_asked_for,
        ledger_reasons,
        lost_request,
        read_memory,
    )
    from caur_ci.cli.queue_reasons import queue_reasons  # noqa: PLC0415

    session = session_of(context)
    asked = _ask_queue(session, redis, package, repo)
    title, explanation = asked.title, asked.explanation
    name = title.rpartition("/")[2]
    memory = read_memory(session, repo=repo, remote=remote)
    decisions = memory.ledger.about(name) if memory else []
    hold = memory.holds.get(name) if memory else None
    findings = (
        list(queue_reasons(explanation, asked.log, asked.workers, asked.end))
        if explanation
        else history_reasons(session, asked.package)
    )
    findings += failure_reasons(asked.failure) if asked.failure else []
    findings += ledger_reasons(decisions)
    if explanation is None and is_asked_for(decisions):
        findings.insert(0, lost_request(title))
    if hold is not None:
        findings.insert(0, hold_reason(name, hold))
    _show(session, asked, findings, decisions, hold, as_json=as_json)
    if not findings:
        session.fail(f"the queue knows nothing about {package}", asked.near)
    return ExitCode.OK if findings else ExitCode.FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What the queue knows of a package; `near` are names that may have been meant.

    `end` says when a running build will have ended.
    """

    package: str
    explanation: Explanation | None = None
    failure: FailureExplanation | None = None
    log: Log | None = None
    workers: Sequence[WorkerView] = ()
    near: str = ""
    end: str = ""

    @property
    def title(self) -> str:
        return self.explanation.identity if self.explanation else self.package


def _ask_queue(session: Session, redis: str | None, package: str, repo: Path) -> _Asked:
    from caur_ci.cli.queue.targets import by_folder, near_names  # noqa: PLC0415
    from caur_ci.cli.working_tree import known_names  # noqa: PLC0415
    from scheduler.connection import NoServerError, connect  # noqa: PLC0415 - slow to import
    from scheduler.logs import LogStore  # noqa: PLC0415
    from scheduler.queue import QueueReader  # noqa: PLC0415

    try:
        client = connect(redis, secrets=session.secrets, begin=False)
    except NoServerError as error:
        session.warn(error.message)
        near = suggestion(package, known_names(repo))
        return _Asked(package=package, near=near)
    with client:
        queue = QueueReader(client)
        explanation = _explained(queue, package)
        if explanation is None and (folder := by_folder(package, repo)):
            package = folder
            explanation = _explained(queue, package)
        logs = LogStore(client)
        return _Asked(
            package=package,
            explanation=explanation,
            failure=_failure(session, queue, logs, explanation, repo) if explanation else None,
            log=logs.latest(explanation.identity) if explanation else None,
            workers=queue.snapshot(limit=1).workers,
            near="" if explanation else near_names(queue, package, known_names(repo)),
            end=_end(session, explanation.running) if explanation and explanation.running else "",
        )


def _failure(
    session: Session, queue: QueueReader, store: LogStore, known: Explanation, repo: Path
) -> FailureExplanation | None:
    """Return why the last job failed, if it did."""
    from caur_ci.cli.failure import CloneCommits, ended_job  # noqa: PLC0415
    from caur_ci.cli.history_access import known_history  # noqa: PLC0415
    from scheduler.diagnosis import explain  # noqa: PLC0415 - slow to import
    from scheduler.history import BuildLogs  # noqa: PLC0415

    if known.last is None:
        return None
    with known_history(session) as history:
        job = ended_job(known.last.job_id, queue, history)
        if job is None:
            return None
        logs = BuildLogs(store, history)
        good = history.last_success(job.identity, before=job.job_id) if history else None
        read = [job] if good is None else [job, good]
        if sum(logs.size(each.job_id, each.attempt) for each in read) > _READ_AT_MOST:
            return None
        return explain(job, logs=logs, history=history, commits=CloneCommits(repo))


def _end(session: Session, running: JobView) -> str:
    from caur_ci.cli.forecasts import expected_ends, forecasts_of  # noqa: PLC0415
    from caur_ci.cli.history_access import known_history  # noqa: PLC0415

    with known_history(session) as history:
        ends = expected_ends([running], forecasts_of(history, [running]), time.time())
    return ends.get(running.job_id, "")


def _show(
    session: Session,
    asked: _Asked,
    findings: Sequence[Reason],
    decisions: Sequence[LedgerEntry],
    hold: Hold | None,
    *,
    as_json: bool,
) -> None:
    from caur_ci.cli.data import to_json  # noqa: PLC0415
    from caur_ci.cli.reasons import outline  # noqa: PLC0415

    if as_json:
        log = asked.log
        data = {
            "package": asked.package,
            "identity": asked.explanation.identity if asked.explanation else None,
            "findings": findings,
            "failure": asked.failure,
            "log": {"job_id": log[0], "attempt": log[1]} if log else None,
            "queue": asked.explanation,
            "decisions": decisions,
            "hold": hold,
        }
        session.print_plain(to_json(data))
    elif findings:
        session.out.print(outline(asked.title, findings))


def _explained(queue: QueueReader, package: str) -> Explanation | None:
    """Return what the queue says, None if it knows nothing.

    Raises InputError where `package` may mean several.
    """
    return queue.explain(queue.resolve(package)) if queue.find(package) else None
