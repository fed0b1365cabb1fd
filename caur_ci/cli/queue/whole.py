"""`caur-ci queue pause`, `resume`, `drain` and `reset`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli import completion
from caur_ci.cli.options import AsJson, Redis
from caur_ci.cli.session import session_of
from caur_ci.errors import ExitCode, InputError
from caur_ci.names import suggestion

if TYPE_CHECKING:
    from caur_ci.cli.session import Session
    from scheduler.queue import Queue, QueueSnapshot


def pause(
    context: typer.Context,
    *,
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="What `status` says about it.", show_default=False)
    ] = "",
    redis: Redis = None,
    as_json: AsJson = False,
) -> None:
    """Hand out no jobs to workers until `resume`.

    Builds that are running go on, and what is built is published. New jobs are taken.
    """
    session = session_of(context)
    changed = _open(session, redis).pause(reason)
    said = "the queue is paused" if changed else "the queue was paused already"
    _tell(session, {"paused": True, "changed": changed}, said, as_json=as_json)


def resume(context: typer.Context, *, redis: Redis = None, as_json: AsJson = False) -> None:
    """End a pause."""
    session = session_of(context)
    changed = _open(session, redis).resume()
    said = "the queue goes on" if changed else "the queue was not paused"
    _tell(session, {"paused": False, "changed": changed}, said, as_json=as_json)


def drain(
    context: typer.Context,
    *,
    workers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="WORKER",
            autocompletion=completion.workers,
            help="Names or ids of workers and database runners, as `caur-ci status` shows them.",
            show_default=False,
        ),
    ] = None,
    everyone: Annotated[
        bool, typer.Option("--all", help="All workers and database runners there are now.")
    ] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Let those go on that have not ended yet.")
    ] = False,
    redis: Redis = None,
    as_json: AsJson = False,
) -> int:
    """Let workers end after the job that they are at.

    Nothing is stopped or handed back. A worker that is started later works as ever.

    Ends with 3 if some of the workers are not known, with 1 if none is.
    """
    if bool(workers) == everyone:
        raise InputError("say which workers: their names or ids, or --all")
    session = session_of(context)
    queue = _open(session, redis)
    known = {name for worker in queue.snapshot().workers for name in (worker.id, worker.name)}
    asked = queue.drain(workers or None, undo=undo)
    unknown = [worker for worker in workers or () if worker not in known]
    for worker in unknown:
        near = suggestion(worker, known)
        session.warn(f"there is no worker {worker}{f'. {near}' if near else ''}")
    if as_json:
        _tell(session, {"undo": undo, "workers": asked, "unknown": unknown}, "", as_json=True)
    for worker in () if as_json else asked:
        what = "goes on" if undo else "ends after the job that it is at"
        session.out.print(f"{worker} {what}", markup=False)
    if not asked and not unknown:
        session.note("no worker was concerned")
    if not unknown:
        return ExitCode.OK
    return ExitCode.PARTIAL if asked else ExitCode.FAILED


def reset(
    context: typer.Context,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
    redis: Redis = None,
    as_json: AsJson = False,
) -> int:
    """Forget all jobs, removals, requests, workers and pauses.

    Running builds are stopped, and what they built is not published. Logs, events and what is
    published already stay. `caur-ci queue backup` first keeps a copy.
    """
    session = session_of(context)
    queue = _open(session, redis)
    if not yes and not _confirmed(session, queue.snapshot(limit=1)):
        session.note("nothing was changed")
        return ExitCode.FAILED
    jobs = queue.reset()
    _tell(session, {"jobs": jobs}, f"{jobs} jobs were forgotten", as_json=as_json)
    return ExitCode.OK


def _open(session: Session, redis: str | None) -> Queue:
    from caur_ci.cli.queue_connection import open_queue  # noqa: PLC0415 - slow to import

    return open_queue(session, redis)


def _confirmed(session: Session, queue: QueueSnapshot) -> bool:
    if not sys.stdin.isatty():
        raise InputError(
            "there is nobody to ask whether all jobs are to be forgotten",
            hint="--yes does it without asking.",
        )
    pending = queue.total_ready + queue.total_waiting + queue.total_held + queue.total_delayed
    session.err.print(
        f"All jobs will be forgotten: {pending} that wait, {queue.total_active} that are being "
        f"built or published, {queue.total_quarantine} in quarantine."
    )
    return typer.confirm("Forget them?", err=True)


def _tell(session: Session, data: dict[str, object], text: str, *, as_json: bool) -> None:
    if as_json:
        from caur_ci.cli.data import to_json  # noqa: PLC0415

        session.print_plain(to_json(data))
    else:
        session.out.print(text)
