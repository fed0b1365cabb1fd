"""`caur-ci queue cancel`, `retry`, `promote` and `proceed`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli.options import AnyJobs, AsJson, Jobs, Redis
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import ExitCode, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scheduler.queue import JobChange, JobReference, Queue

# Jobs of each kind that are looked through for those that ended badly.
_LOOKED_AT = 100_000


def cancel(
    context: typer.Context,
    *,
    packages: Jobs,
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="What the results say about it.", show_default=False)
    ] = "",
    redis: Redis = None,
    as_json: AsJson = False,
) -> int:
    """Take packages out of the queue.

    What waits, and what is built but not published, ends at once; the worker of a running build is
    asked to stop it. A job in quarantine is dismissed.

    Ends with 3 if that could be done for some only, with 1 if for none.
    """

    def wish(queue: Queue, targets: Sequence[JobReference]) -> list[JobChange]:
        return queue.cancel(targets, reason=reason)

    return _wish(context, redis, packages, wish, as_json=as_json)


def retry(
    context: typer.Context,
    *,
    packages: AnyJobs = None,
    failed: Annotated[
        bool,
        typer.Option(
            "--failed", help="All packages whose latest job failed or took too long, or was lost."
        ),
    ] = False,
    all_: Annotated[
        bool, typer.Option("--all", help="Those, and all whose latest job was canceled.")
    ] = False,
    redis: Redis = None,
    as_json: AsJson = False,
) -> int:
    """Build packages again that failed, were canceled or are in quarantine.

    The same commit is built. This is refused where a newer job for the package waits already, or
    has ended since.

    Ends with 3 if that could be done for some only, with 1 if for none.
    """
    if bool(packages) == (failed or all_):
        raise InputError("name packages, or say --failed or --all")
    from caur_ci.cli.queue.targets import ended_badly  # noqa: PLC0415
    from caur_ci.cli.queue_connection import open_queue  # noqa: PLC0415 - slow to import

    session = session_of(context)
    queue = open_queue(session, redis)
    named = packages or ended_badly(queue.snapshot(limit=_LOOKED_AT), canceled=all_)
    if not named:
        session.note("there is nothing to build again")
        return ExitCode.OK

    def wish(queue: Queue, targets: Sequence[JobReference]) -> Sequence[JobChange]:
        return queue.retry(targets)

    return _wish_of(session, queue, named, wish, done="queued again", as_json=as_json)


def promote(
    context: typer.Context, *, packages: Jobs, redis: Redis = None, as_json: AsJson = False
) -> int:
    """Let packages go first, in the order given.

    What they wait for is promoted with them. It does not change what they wait for.

    Ends with 3 if that could be done for some only, with 1 if for none.
    """
    return _wish(context, redis, packages, lambda q, t: q.promote(t), as_json=as_json)


def proceed(
    context: typer.Context, *, packages: Jobs, redis: Redis = None, as_json: AsJson = False
) -> int:
    """Let held packages be built without the dependencies that failed.

    Packages are held where they were scheduled with `--on-failure hold`.

    Ends with 3 if that could be done for some only, with 1 if for none.
    """
    return _wish(context, redis, packages, lambda q, t: q.proceed(t), as_json=as_json)


def _wish(
    context: typer.Context,
    redis: str | None,
    packages: Sequence[str],
    wish: Callable[[Queue, Sequence[JobReference]], Sequence[JobChange]],
    *,
    done: str = "",
    as_json: bool,
) -> int:
    """Do what was wished with the packages that are clear, and tell what became of all."""
    from caur_ci.cli.queue_connection import open_queue  # noqa: PLC0415 - slow to import

    session = session_of(context)
    queue = open_queue(session, redis)
    return _wish_of(session, queue, packages, wish, done=done, as_json=as_json)


def _wish_of(
    session: Session,
    queue: Queue,
    packages: Sequence[str],
    wish: Callable[[Queue, Sequence[JobReference]], Sequence[JobChange]],
    *,
    done: str = "",
    as_json: bool,
) -> int:
    from caur_ci.cli.queue.answers import report  # noqa: PLC0415
    from caur_ci.cli.queue.targets import resolved  # noqa: PLC0415

    targets, unclear = resolved(queue, packages)
    answers = [*wish(queue, targets), *unclear] if targets else unclear
    return report(session, answers, done=done, as_json=as_json)
