"""`caur-ci explain`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from caur_ci.cli.options import AsJson, Job, Redis, Repo
from caur_ci.cli.session import session_of
from caur_ci.errors import ExitCode, InputError

if TYPE_CHECKING:
    from scheduler.queue import JobView, QueueReader


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
    from caur_ci.cli.failure import explained_failure  # noqa: PLC0415
    from scheduler.connection import connect  # noqa: PLC0415 - slow to import
    from scheduler.logs import LogStore  # noqa: PLC0415
    from scheduler.queue import QueueReader  # noqa: PLC0415

    session = session_of(context)
    with connect(redis, secrets=session.secrets) as client:
        queue = QueueReader(client)
        job = _meant(queue, package)
        explanation = explained_failure(queue, job, logs=LogStore(client), repo=repo)
    if as_json:
        session.print_plain(to_json(explanation))
    elif explanation is not None:
        print_explanation(session.out, explanation)
    if explanation is None:
        ended = "has not ended" if job.outcome is None else f"ended with {job.outcome.name}"
        session.fail(
            f"job {job.job_id} of {job.identity} {ended}: there is no failure to explain",
            "`caur-ci why` tells where a package stands.",
        )
    return ExitCode.FAILED if explanation is None else ExitCode.OK


def _meant(queue: QueueReader, package: str) -> JobView:
    """Return the job, or the last one of the package that has ended. Raises InputError."""
    from caur_ci.cli.queue.targets import target_of  # noqa: PLC0415

    target = target_of(queue, package)
    if isinstance(target, int):
        job = queue.job(target)
    else:
        known = queue.explain(target)
        job = known.last or known.running or known.pending if known is not None else None
    if job is None:
        raise InputError(f"nothing is known of {package} any more")
    return job
