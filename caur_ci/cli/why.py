"""`caur-ci why`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from caur_ci.cli.options import AsJson, Job, Redis, Remote, Repo
from caur_ci.cli.session import session_of
from caur_ci.errors import ExitCode

if TYPE_CHECKING:
    from scheduler.queue import Explanation, QueueReader


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
    whether a worker may build it; how its latest build ended, and which log tells more. In a
    repository of PKGBUILD folders also what the latest runs decided about it, and why.

    Ends with 1 if nothing is known about it.
    """
    from caur_ci.cli.data import to_json  # noqa: PLC0415
    from caur_ci.cli.ledger_reasons import (  # noqa: PLC0415
        decisions_about,
        is_asked_for,
        ledger_reasons,
        lost_request,
    )
    from caur_ci.cli.queue.targets import by_folder, near_names  # noqa: PLC0415
    from caur_ci.cli.queue_reasons import queue_reasons  # noqa: PLC0415
    from caur_ci.cli.reasons import outline  # noqa: PLC0415
    from caur_ci.cli.working_tree import known_names  # noqa: PLC0415
    from scheduler.connection import connect  # noqa: PLC0415 - slow to import
    from scheduler.logs import LogStore  # noqa: PLC0415
    from scheduler.queue import QueueReader  # noqa: PLC0415

    session = session_of(context)
    with connect(redis, secrets=session.secrets) as client:
        queue = QueueReader(client)
        explanation = _explained(queue, package)
        if explanation is None and (folder := by_folder(package, repo)):
            package = folder
            explanation = _explained(queue, package)
        log = LogStore(client).latest(explanation.identity) if explanation else None
        workers = queue.snapshot(limit=1).workers
        near = "" if explanation else near_names(queue, package, known_names(repo))
    title = explanation.identity if explanation else package
    decisions = decisions_about(session, title.rpartition("/")[2], repo=repo, remote=remote)
    findings = list(queue_reasons(explanation, log, workers)) if explanation else []
    findings += ledger_reasons(decisions)
    if explanation is None and decisions and is_asked_for(decisions[0]):
        findings.insert(0, lost_request(title))
    if as_json:
        data = {
            "package": package,
            "identity": explanation.identity if explanation else None,
            "findings": findings,
            "log": {"job_id": log[0], "attempt": log[1]} if log else None,
            "queue": explanation,
            "decisions": decisions,
        }
        session.print_plain(to_json(data))
    elif findings:
        session.out.print(outline(title, findings))
    if not findings:
        session.fail(f"the queue knows nothing about {package}", near)
    return ExitCode.OK if findings else ExitCode.FAILED


def _explained(queue: QueueReader, package: str) -> Explanation | None:
    """Return what the queue says, None if it knows nothing.

    Raises InputError where `package` may mean several.
    """
    return queue.explain(queue.resolve(package)) if queue.find(package) else None
