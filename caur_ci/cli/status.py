"""`caur-ci status`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caur_ci.cli.session import session_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

    from scheduler.queue import JobView, QueueSnapshot


def status(
    context: typer.Context,
    *,
    limit: Annotated[
        int, typer.Option(min=1, max=10_000, help="How many jobs of each kind to show.")
    ] = 20,
    redis: Annotated[
        str | None,
        typer.Option(
            "--redis",
            metavar="URL",
            help="The queue's Redis server. Default: REDIS_URL, REDIS_HOST, or one of our own.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the state as JSON.")] = False,
) -> None:
    """Show what the queue is doing.

    The workers, what is being built and published, what is next, what waits and for what, and
    the latest results.
    """
    from caur_ci.cli.queue_connection import open_queue  # noqa: PLC0415 - slow to import

    session = session_of(context)
    snapshot = open_queue(session, redis).snapshot(limit=limit)
    if as_json:
        session.print_plain(json.dumps(_as_data(snapshot), indent=2))
        return
    session.out.print(_workers(snapshot))
    for table in _job_tables(snapshot):
        session.out.print()
        session.out.print(table)


def _as_data(snapshot: QueueSnapshot) -> dict[str, Any]:
    """Return the snapshot for machines; outcomes by name."""
    data = asdict(snapshot)
    for kind in ("active", "ready", "waiting", "recent"):
        for job in data[kind]:
            job["outcome"] = job["outcome"].name if job["outcome"] is not None else None
    return data


def _workers(snapshot: QueueSnapshot) -> Table:
    table = _table("Workers", len(snapshot.workers), "worker", "class", "heard of", "at work on")
    running = {job.job_id: job.identity for job in snapshot.active}
    for worker in snapshot.workers:
        jobs = [running.get(job_id, f"job {job_id}") for job_id in worker.jobs]
        table.add_row(
            worker.id,
            str(worker.build_class) if worker.build_class else "database",
            _ago(snapshot.time, worker.seen),
            ", ".join(jobs),
        )
    return table


def _job_tables(snapshot: QueueSnapshot) -> Iterable[Table]:
    now = snapshot.time
    running = _table("Running", snapshot.total_active, "package", "state", "worker", "since")
    for job in snapshot.active:
        since = job.landed or job.started
        running.add_row(job.identity, job.state.value, job.worker, _ago(now, since))
    yield running
    for title, total, jobs in (
        ("Ready", snapshot.total_ready, snapshot.ready),
        ("Waiting", snapshot.total_waiting, snapshot.waiting),
    ):
        table = _table(title, total, "package", "class", "queued", "why it is not being built")
        for job in jobs:
            table.add_row(
                job.identity, job.build_class, _ago(now, job.submitted), _printable(job.reason)
            )
        yield table
    results = _table("Recent results", None, "package", "result", "ended", "reason")
    for job in snapshot.recent:
        results.add_row(job.identity, _result(job), _ago(now, job.finished), _printable(job.reason))
    yield results


def _table(title: str, total: int | None, *columns: str) -> Table:
    from rich.table import Table  # noqa: PLC0415 - slow to import

    table = Table(
        title=title if total is None else f"{title}: {total}",
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
    )
    for column in columns:
        table.add_column(column, overflow="fold", header_style="dim")
    return table


def _result(job: JobView) -> str:
    return job.outcome.name.lower().replace("_", " ") if job.outcome is not None else ""


def _printable(text: str) -> str:
    """Return `text` as one line that neither a terminal nor rich takes for commands."""
    from rich.markup import escape  # noqa: PLC0415 - slow to import

    line = text.splitlines()[0] if text else ""
    return escape("".join(letter if letter.isprintable() else "?" for letter in line))


def _ago(now: float, then: float) -> str:
    if not then:
        return ""
    seconds = max(0, int(now - then))
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit} ago"
    return f"{seconds} s ago"
