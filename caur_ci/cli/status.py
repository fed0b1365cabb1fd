"""`caur-ci status`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli.options import AsJson, Redis
from caur_ci.cli.session import session_of
from caur_ci.errors import InputError

if TYPE_CHECKING:
    from scheduler.queue import QueueSnapshot


def status(
    context: typer.Context,
    *,
    live: Annotated[
        bool, typer.Option("--live", help="Keep showing it as it changes, until Ctrl-C.")
    ] = False,
    limit: Annotated[
        int,
        typer.Option(
            "--limit", metavar="N", min=1, max=10_000, help="How many jobs of each kind to show."
        ),
    ] = 20,
    redis: Redis = None,
    as_json: AsJson = False,
) -> None:
    """Show what the queue is doing.

    The workers, what is being built and published, what is next, what waits and for what, what is
    held back, and the latest results. About one package, ask `caur-ci why`.
    """
    from caur_ci.cli.data import to_json  # noqa: PLC0415
    from caur_ci.cli.live import follow  # noqa: PLC0415
    from caur_ci.cli.queue_connection import open_queue  # noqa: PLC0415 - slow to import
    from caur_ci.cli.queue_view import status_parts  # noqa: PLC0415

    session = session_of(context)
    if live and as_json:
        raise InputError("say either --live or --json")
    queue = open_queue(session, redis)
    if live:
        follow(queue, session.out, limit=limit)
        return
    snapshot = queue.snapshot(limit=limit)
    if as_json:
        session.print_plain(to_json(snapshot))
        return
    for number, part in enumerate(status_parts(snapshot)):
        if number:
            session.out.print()
        session.out.print(part)
    if left_out := _left_out(snapshot):
        session.note(f"{left_out} more jobs are not shown; --limit N shows more")


def _left_out(snapshot: QueueSnapshot) -> int:
    """Return how many jobs the snapshot only counts."""
    kinds = ("active", "ready", "waiting", "held", "delayed", "quarantine")
    return sum(getattr(snapshot, f"total_{kind}") - len(getattr(snapshot, kind)) for kind in kinds)
