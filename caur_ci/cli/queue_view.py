"""How jobs and workers look on a terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from caur_ci.plaintext import first_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import RenderableType
    from rich.table import Table

    from scheduler.queue import JobView, Pause, QueueSnapshot, RemovalView, WorkerView

_UNITS = (("d", 86400), ("h", 3600), ("min", 60))
_WHY = "why it is not being built"


def status_parts(snapshot: QueueSnapshot) -> Iterator[RenderableType]:
    """Yield what there is to see in the queue, the most important things first."""
    if snapshot.paused is not None:
        yield _paused(snapshot.time, snapshot.paused)
    yield _workers(snapshot)
    yield _running(snapshot)
    yield _pending(snapshot.time, "Ready", snapshot.total_ready, snapshot.ready)
    yield _pending(snapshot.time, "Waiting", snapshot.total_waiting, snapshot.waiting)
    for title, total, jobs in (
        ("Held", snapshot.total_held, snapshot.held),
        ("Delayed", snapshot.total_delayed, snapshot.delayed),
    ):
        if total:
            yield _pending(snapshot.time, title, total, jobs)
    if snapshot.total_quarantine:
        yield _ended(snapshot.time, "Quarantine", snapshot.total_quarantine, snapshot.quarantine)
    if snapshot.total_removals:
        yield f"Removals to be carried out: {snapshot.total_removals}"
    yield _ended(snapshot.time, "Recent results", None, snapshot.recent)


def job_table(now: float, jobs: Iterable[JobView]) -> Table:
    """Return jobs of any state, one per line."""
    rows = table("", None, "job", "package", "state", "class", "since", "worker", "why")
    for job in jobs:
        rows.add_row(
            str(job.job_id),
            job.identity,
            state_of(job),
            job.build_class,
            ago(now, _since(job)),
            printable(job.worker),
            printable(job.reason),
        )
    return rows


def removal_table(removals: Iterable[RemovalView]) -> Table:
    """Return removals, one per line."""
    rows = table("", None, "removal", "repository", "what goes", "state", "submitted", "why")
    for view in removals:
        wanted = view.removal
        what = _some(wanted.remove) or f"all but {len(wanted.keep)}"
        state = "held back" if view.held else "being carried out" if view.worker else "waiting"
        rows.add_row(
            str(view.removal_id),
            view.scope,
            what,
            state,
            timestamp(view.submitted),
            printable(view.reason),
        )
    return rows


def table(title: str, total: int | None, *columns: str) -> Table:
    """Return an empty table in the style of all of them."""
    from rich.table import Table  # noqa: PLC0415 - slow to import

    heading = title if total is None else f"{title}: {total}"
    rows = Table(
        title=heading or None,
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
    )
    for column in columns:
        rows.add_column(column, overflow="fold", header_style="dim")
    return rows


def state_of(job: JobView) -> str:
    """Return where a job stands, in a few words."""
    if job.quarantined:
        return "quarantined"
    if job.outcome is not None:
        words = job.outcome.name.lower().replace("_", " ")
        return f"{words} ({job.failure})" if job.failure else words
    if job.cancel:
        return f"{job.state.value}, to be canceled"
    if job.held_by:
        return "held"
    return "delayed" if job.delayed_until else job.state.value


def printable(text: str) -> str:
    """Return the first line of `text`, which neither a terminal nor rich takes for commands."""
    from rich.markup import escape  # noqa: PLC0415 - slow to import

    return escape(first_line(text))


def ago(now: float, then: float) -> str:
    """Return how long `then` was before `now`; nothing for a time that is not known."""
    return f"{duration(now - then)} ago" if then else ""


def timestamp(time: float) -> str:
    """Return a time on the clock of this machine; nothing for one that is not known."""
    return datetime.fromtimestamp(time, UTC).astimezone().isoformat(" ", "seconds") if time else ""


def duration(seconds: float) -> str:
    """Return a length of time in its greatest unit."""
    whole = max(0, int(seconds))
    for unit, length in _UNITS:
        if whole >= length:
            return f"{whole // length} {unit}"
    return f"{whole} s"


def _paused(now: float, pause: Pause) -> RenderableType:
    from rich.text import Text  # noqa: PLC0415 - slow to import

    why = f": {first_line(pause.reason)}" if pause.reason else ""
    return Text(
        f"Paused {ago(now, pause.since)}{why}. Workers get no jobs until `caur-ci queue resume`.",
        style="yellow",
    )


def _workers(snapshot: QueueSnapshot) -> Table:
    rows = table("Workers", len(snapshot.workers), "worker", "class", "heard of", "at work on")
    running = {job.job_id: job.identity for job in snapshot.active}
    for worker in snapshot.workers:
        jobs = [running.get(job_id, f"job {job_id}") for job_id in worker.jobs]
        trouble = f"takes no jobs: {printable(worker.trouble)}" if worker.trouble else ""
        rows.add_row(
            worker.id, _kind_of(worker), ago(snapshot.time, worker.seen), _some(jobs) or trouble
        )
    return rows


def _kind_of(worker: WorkerView) -> str:
    kind = str(worker.build_class) if worker.build_class else "database"
    return f"{kind}, to end" if worker.draining else kind


def _some(names: Sequence[str], limit: int = 5) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def _running(snapshot: QueueSnapshot) -> Table:
    rows = table("Running", snapshot.total_active, "package", "state", "worker", "since")
    for job in snapshot.active:
        rows.add_row(job.identity, state_of(job), job.worker, ago(snapshot.time, _since(job)))
    return rows


def _pending(now: float, title: str, total: int, jobs: Iterable[JobView]) -> Table:
    rows = table(title, total, "package", "class", "queued", _WHY)
    for job in jobs:
        name = f"{job.identity} (promoted)" if job.promoted else job.identity
        rows.add_row(name, job.build_class, ago(now, job.submitted), printable(job.reason))
    return rows


def _ended(now: float, title: str, total: int | None, jobs: Iterable[JobView]) -> Table:
    rows = table(title, total, "package", "result", "ended", "reason")
    for job in jobs:
        rows.add_row(job.identity, state_of(job), ago(now, job.finished), printable(job.reason))
    return rows


def _since(job: JobView) -> float:
    """Return when the job came to where it is."""
    return job.finished or job.landed or job.started or job.submitted
