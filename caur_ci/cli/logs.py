"""`caur-ci logs`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli.options import AsJson, Job, Redis
from caur_ci.cli.session import session_of
from caur_ci.errors import ExitCode, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler.logs import LogEntry
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
Listed = Annotated[bool, typer.Option("--list", help="Only tell which logs there are.")]


def logs(
    context: typer.Context,
    *,
    package: Job,
    follow: Follow = False,
    attempt: Attempt = None,
    listed: Listed = False,
    redis: Redis = None,
    as_json: AsJson = False,
) -> int:
    """Show the log of a build, while it runs and for seven days after.

    Of a package that is the latest one; each attempt has its own. Into a pipe it goes byte for
    byte. On a terminal it has its colours, but nothing else that acts on the terminal.

    Ends with 1 if there is none.
    """
    from caur_ci.cli.log_output import LogOutput, follow_log  # noqa: PLC0415
    from scheduler.connection import connect  # noqa: PLC0415 - slow to import
    from scheduler.logs import LogStore  # noqa: PLC0415
    from scheduler.queue import QueueReader  # noqa: PLC0415

    session = session_of(context)
    if as_json and not listed:
        raise InputError("--json goes with --list; a log is no JSON")
    with connect(redis, secrets=session.secrets) as client:
        queue, store = QueueReader(client), LogStore(client)
        identity, job_id = _meant(queue, package)
        found = _wanted(store.of_package(identity), job_id, attempt)
        if listed:
            session.print_plain(_listing(found, as_json=as_json))
            return ExitCode.OK if found else ExitCode.FAILED
        if not found and not (follow and _will_be_built(queue, identity)):
            which = f" of attempt {attempt}" if attempt else ""
            session.fail(
                f"there is no log{which} of {identity}",
                "Logs are kept for seven days; --list tells which there are, "
                "`caur-ci why` why it is not being built.",
            )
            return ExitCode.FAILED
        if not found:
            session.note(f"{identity} is not being built yet; waiting for that")
        follow_log(
            lambda: _wanted(store.of_package(identity), job_id, attempt),
            queue,
            store,
            LogOutput.standard(),
            follow=follow,
        )
    return ExitCode.OK


def _meant(queue: QueueReader, package: str) -> tuple[str, int | None]:
    """Return an identity, and the job if it was a job that was named. Raises InputError."""
    from caur_ci.cli.queue.targets import target_of  # noqa: PLC0415

    target = target_of(queue, package)
    if isinstance(target, str):
        return target, None
    job = queue.job(target)
    if job is None:
        raise InputError(f"job {target} ended long ago")
    return job.identity, target


def _wanted(found: Sequence[LogEntry], job_id: int | None, attempt: int | None) -> list[LogEntry]:
    """Return those of the job, and of the attempt at it, if these are given.

    An attempt without a job is one at the latest job that there are logs of.
    """
    if attempt is not None and job_id is None and found:
        job_id = found[-1].job_id
    return [
        entry
        for entry in found
        if job_id in {None, entry.job_id} and attempt in {None, entry.attempt}
    ]


def _will_be_built(queue: QueueReader, identity: str) -> bool:
    return any(job.outcome is None for job in queue.find(identity))


def _listing(found: Sequence[LogEntry], *, as_json: bool) -> str:
    from caur_ci.cli.data import to_json  # noqa: PLC0415
    from caur_ci.cli.queue_view import timestamp  # noqa: PLC0415

    if as_json:
        return to_json(found)
    return "\n".join(
        f"{timestamp(entry.started)}  job {entry.job_id}  attempt {entry.attempt}  "
        f"{entry.size} bytes{'' if entry.ended else '  (not ended)'}"
        for entry in found
    )
