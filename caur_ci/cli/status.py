"""`caur-ci status`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caur_ci.cli.options import AsJson, Redis, Remote, Repo
from caur_ci.cli.session import Session, session_of
from caur_ci.errors import CaurError, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caur_ci.cli.tables import Rows
    from caur_ci.pipeline.shared.memory.holds import Hold
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
    repo: Repo = Path(),
    remote: Remote = None,
    redis: Redis = None,
    as_json: AsJson = False,
) -> None:
    """Show what the queue is doing.

    The workers, what is being built and published, what is next, what waits and for what, what is
    held back, and the latest results. In a repository of PKGBUILD folders also which packages are
    on hold (but not with `--live`), and on the machine of the history (HISTORY_PATH) when running
    builds will have ended. About one package, ask `caur-ci why`.
    """
    from caur_ci.cli.data import as_data, to_json  # noqa: PLC0415
    from caur_ci.cli.forecasts import forecasts_of  # noqa: PLC0415
    from caur_ci.cli.history_access import known_history  # noqa: PLC0415
    from caur_ci.cli.live import follow  # noqa: PLC0415
    from caur_ci.cli.queue_connection import open_queue  # noqa: PLC0415 - slow to import

    session = session_of(context)
    if live and as_json:
        raise InputError("say either --live or --json")
    queue = open_queue(session, redis)
    with known_history(session) as history:
        if live:
            follow(
                queue, session.out, limit=limit, forecasts=lambda jobs: forecasts_of(history, jobs)
            )
            return
        snapshot = queue.snapshot(limit=limit)
        forecasts = forecasts_of(history, snapshot.active)
    holds = _holds(session, repo, remote)
    if as_json:
        data = {**as_data(snapshot), "on_hold": dict(holds), "forecasts": forecasts}
        session.print_plain(to_json(data))
    else:
        _show(session, snapshot, forecasts, holds)


def _show(
    session: Session,
    snapshot: QueueSnapshot,
    forecasts: Mapping[str, float],
    holds: Mapping[str, Hold],
) -> None:
    from caur_ci.cli.forecasts import expected_ends  # noqa: PLC0415
    from caur_ci.cli.queue_view import status_parts  # noqa: PLC0415 - slow to import

    ends = expected_ends(snapshot.active, forecasts, snapshot.time)
    held = [_held(holds)] if holds else []
    for number, part in enumerate((*status_parts(snapshot, ends=ends), *held)):
        if number:
            session.out.print()
        session.out.print(part)
    if left_out := _left_out(snapshot):
        session.note(f"{left_out} more jobs are not shown; --limit N shows more")


def _holds(session: Session, repo: Path, remote: str | None) -> Mapping[str, Hold]:
    """Return what is on hold; what cannot be read is a warning, the queue is what counts here."""
    from caur_ci.cli.holds import current_holds  # noqa: PLC0415 - slow to import

    try:
        return current_holds(session, repo, remote).packages
    except CaurError as error:
        session.warn(f"which packages are on hold is not known: {error.message}")
        return {}


def _held(holds: Mapping[str, Hold]) -> Rows:
    from caur_ci.cli.tables import table  # noqa: PLC0415 - slow to import

    rows = table("On hold", len(holds), "package", "why", "left out")
    for name, hold in sorted(holds.items()):
        rows.add(name, str(hold), hold.left_out)
    return rows


def _left_out(snapshot: QueueSnapshot) -> int:
    """Return how many jobs the snapshot only counts."""
    kinds = ("active", "ready", "waiting", "held", "delayed", "quarantine")
    return sum(getattr(snapshot, f"total_{kind}") - len(getattr(snapshot, kind)) for kind in kinds)
