"""`caur-ci explain`."""

from __future__ import annotations

from pathlib import Path

import typer

from caur_ci.cli.options import AsJson, Job, Redis, Repo
from caur_ci.cli.session import session_of
from caur_ci.errors import ExitCode


def explain(
    context: typer.Context,
    *,
    package: Job,
    repo: Repo = Path(),
    redis: Redis = None,
    as_json: AsJson = False,
) -> int:
    """Explain why the last build of a package failed, or a job.

    Shows the first error in its log with what stands around it, what is different from the last
    good build and its log, what usually helps, and a command that builds the same here.

    Ends with 1 if there is nothing to explain.
    """
    from caur_ci.cli.data import to_json  # noqa: PLC0415
    from caur_ci.cli.explanation_view import print_explanation  # noqa: PLC0415
    from caur_ci.cli.failure import CloneCommits, ended_job, last_ended_job  # noqa: PLC0415
    from caur_ci.cli.history_access import known_history  # noqa: PLC0415
    from caur_ci.cli.log_search import meant_by  # noqa: PLC0415
    from scheduler.connection import connect  # noqa: PLC0415 - slow to import
    from scheduler.diagnosis import explain as explained  # noqa: PLC0415
    from scheduler.history import BuildLogs  # noqa: PLC0415
    from scheduler.logs import LogStore  # noqa: PLC0415
    from scheduler.queue import QueueReader  # noqa: PLC0415

    session = session_of(context)
    with (
        connect(redis, secrets=session.secrets, begin=False) as client,
        known_history(session) as history,
    ):
        queue = QueueReader(client)
        meant = meant_by(package, queue, history)
        job = (
            last_ended_job(meant.identity, queue, history)
            if meant.job_id is None
            else ended_job(meant.job_id, queue, history)
        )
        logs = BuildLogs(LogStore(client), history)
        commits = CloneCommits(repo)
        explanation = (
            None if job is None else explained(job, logs=logs, history=history, commits=commits)
        )
    if as_json:
        session.print_plain(to_json(explanation))
    elif explanation is not None:
        print_explanation(session.out, explanation)
    if explanation is None:
        ended = f"job {job.job_id} ended with {job.outcome.name}" if job else "no build has ended"
        session.fail(
            f"{meant.identity}: {ended}, there is no failure to explain",
            "`caur-ci why` tells where a package stands.",
        )
    return ExitCode.FAILED if explanation is None else ExitCode.OK
