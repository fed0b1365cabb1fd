"""`caur-ci logs`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli.options import AsJson, Job, Redis
from caur_ci.cli.session import session_of
from caur_ci.errors import ExitCode, InputError, TemporaryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caur_ci.cli.log_search import Meant
    from caur_ci.cli.session import Session
    from scheduler.history import BuildLogs, PastLog
    from scheduler.queue import QueueReader


Follow = Annotated[
    bool,
    typer.Option("--follow", "-f", help="Go on until the build has ended; wait for one to begin."),
]
Attempt = Annotated[
    int | None,
    typer.Option(
        "--attempt",
        min=1,
        metavar="N",
        help="The log of this attempt at the job, not of the latest.",
        show_default=False,
    ),
]
OfJob = Annotated[
    int | None,
    typer.Option(
        "--job",
        min=1,
        metavar="ID",
        help="The log of this job, not of the package's latest.",
        show_default=False,
    ),
]
Listed = Annotated[bool, typer.Option("--list", help="Only tell which logs there are.")]


def logs(
    context: typer.Context,
    *,
    package: Job,
    follow: Follow = False,
    job: OfJob = None,
    attempt: Attempt = None,
    listed: Listed = False,
    redis: Redis = None,
    as_json: AsJson = False,
) -> int:
    """Show the log of a build, while it runs and for some time after.

    Of a package that is the latest one; each attempt has its own. Redis has logs for some days,
    the history for longer (HISTORY_LOG_DAYS) on the machine that it is on (HISTORY_PATH). Into a
    pipe a log goes byte for byte. On a terminal it has its colours, but nothing else that acts on
    the terminal.

    Ends with 1 if there is none.
    """
    from caur_ci.cli.history_access import known_history  # noqa: PLC0415
    from caur_ci.cli.log_search import meant_by  # noqa: PLC0415
    from scheduler.connection import connect  # noqa: PLC0415 - slow to import
    from scheduler.history import BuildLogs  # noqa: PLC0415
    from scheduler.logs import LogStore  # noqa: PLC0415
    from scheduler.queue import QueueReader  # noqa: PLC0415

    session = session_of(context)
    if as_json and not listed:
        raise InputError("--json goes with --list; a log is no JSON")
    with (
        connect(redis, secrets=session.secrets, begin=False) as client,
        known_history(session) as history,
    ):
        queue, build_logs = QueueReader(client), BuildLogs(LogStore(client), history)
        meant = meant_by(package, queue, history, job_id=job, attempt=attempt)
        try:
            found = meant.find(build_logs)
        except TemporaryError as error:
            if follow:
                raise
            session.warn(f"only what the history has: {error.message}")
            build_logs = BuildLogs(None, history)
            found = meant.find(build_logs)
        if listed:
            session.print_plain(_listing(found, as_json=as_json))
            return ExitCode.OK if found else ExitCode.FAILED
        if not found and not (follow and _will_be_built(queue, meant.identity)):
            return _there_is_none(session, meant)
        if not found:
            session.note(f"{meant.identity} is not being built yet; waiting for that")
        _show(session, meant, queue, build_logs, follow=follow)
    return ExitCode.OK


def _show(
    session: Session, meant: Meant, queue: QueueReader, build_logs: BuildLogs, *, follow: bool
) -> None:
    from caur_ci.cli.log_output import LogOutput, follow_log  # noqa: PLC0415

    missing = follow_log(
        lambda: meant.find(build_logs), queue, build_logs, LogOutput.standard(), follow=follow
    )
    if missing:
        session.note(
            f"the first {missing} bytes are not here: they are in the history of the database "
            "runner (HISTORY_PATH)"
        )


def _there_is_none(session: Session, meant: Meant) -> int:
    which = f" of attempt {meant.attempt}" if meant.attempt else ""
    session.fail(
        f"there is no log{which} of {meant.identity}",
        "--list tells which there are, `caur-ci why` why it is not being built. Logs are kept for "
        "some days in Redis, and for HISTORY_LOG_DAYS days in the history of the database runner.",
    )
    return ExitCode.FAILED


def _will_be_built(queue: QueueReader, identity: str) -> bool:
    return any(job.outcome is None for job in queue.find(identity))


def _listing(found: Sequence[PastLog], *, as_json: bool) -> str:
    from caur_ci.cli.data import to_json  # noqa: PLC0415
    from caur_ci.cli.queue_view import timestamp  # noqa: PLC0415

    if as_json:
        return to_json(found)
    return "\n".join(
        f"{timestamp(entry.started)}  job {entry.job_id}  attempt {entry.attempt}  "
        f"{entry.size} bytes{'' if entry.ended else '  (not ended)'}"
        for entry in found
    )
