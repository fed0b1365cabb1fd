"""How jobs and workers look on a terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from caur_ci.cli.tables import table
from caur_ci.plaintext import first_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.console import RenderableType

    from caur_ci.cli.tables import Rows
    from scheduler.queue import JobView, Pause, QueueSnapshot, RemovalView, WorkerView

_UNITS = (("d", 86400), ("h", 3600), ("min", 60))
# Of several names in one cell.
_NAMED = 5
_WHY = "why it is not being built"


def status_parts(
    snapshot: QueueSnapshot,
    rows: int | None = None,
    *,
    ends: Mapping[int, str] | None = None,
) -> Iterator[RenderableType]:
    """Yield what there is to see in the queue, the most important things first.

    At most `rows` of each kind, if that is given. `ends` tells of jobs that are being built when
    that will have ended.
    """
    now, first = snapshot.time, slice(rows)
    if snapshot.paused is not None:
        yield _paused(now, snapshot.paused)
    yield _workers(snapshot, first)
    yield _running(snapshot, first, ends or {})
    yield _pending(now, "Ready", snapshot.total_ready, snapshot.ready[first])
    yield _pending(now, "Waiting", snapshot.total_waiting, snapshot.waiting[first])
    for title, total, jobs in (
        ("Held", snapshot.total_held, snapshot.held),
        ("Delayed", snapshot.total_delayed, snapshot.delayed),
    ):
        if total:
            yield _pending(now, title, total, jobs[first])
    if snapshot.total_quarantine:
        yield _ended(now, "Quarantine", snapshot.total_quarantine, snapshot.quarantine[first])
    if snapshot.total_groups:
        yield f"Rebuild groups: {snapshot.total_groups} (caur-ci queue groups)"
    if snapshot.total_removals:
        yield f"Removals to be carried out: {snapshot.total_removals}"
    yield _ended(now, "Recent results", None, snapshot.recent[first])


def job_table(now: float, jobs: Iterable[JobView]) -> Rows:
    """Return jobs of any state, one per line."""
    rows = table("", None, "job", "package", "state", "class", "since", "worker", "why")
    for job in jobs:
        rows.add(
            str(job.job_id),
            job.identity,
            state_of(job),
            job.build_class,
            ago(now, _since(job)),
            first_line(job.worker),
            first_line(job.reason),
        )
    return rows


def removal_table(removals: Iterable[RemovalView], *, whole: bool) -> Rows:
    """Return removals, one per line; of long lists of names only the beginning unless `whole`."""
    rows = table("", None, "removal", "repository", "what goes", "state", "submitted", "why")
    for view in removals:
        wanted = view.removal
        what = _some(wanted.remove, None if whole else _NAMED) or f"all but {len(wanted.keep)}"
        state = "held back" if view.held else "being carried out" if view.worker else "waiting"
        rows.add(
            str(view.removal_id),
            view.scope,
            what,
            state,
            timestamp(view.submitted),
            first_line(view.reason),
        )
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


def _workers(snapshot: QueueSnapshot, shown: slice) -> Rows:
    rows = table("Workers", len(snapshot.workers), "worker", "class", "heard of", "at work on")
    running = {job.job_id: job.identity for job in snapshot.active}
    for worker in snapshot.workers[shown]:
        jobs = [running.get(job_id, f"job {job_id}") for job_id in worker.jobs]
        trouble = f"takes no jobs: {first_line(worker.trouble)}" if worker.trouble else ""
        rows.add(
            worker.id, _kind_of(worker), ago(snapshot.time, worker.seen), _some(jobs) or trouble
        )
    return rows


def _kind_of(worker: WorkerView) -> str:
    kind = str(worker.build_class) if worker.build_class else "database"
    return f"{kind}, to end" if worker.draining else kind


def _some(names: Sequence[str], limit: int | None = _NAMED) -> str:
    shown = names[:limit]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return ", ".join(shown) + more


def _running(snapshot: QueueSnapshot, shown: slice, ends: Mapping[int, str]) -> Rows:
    expected = ("expected end",) if ends else ()
    rows = table("Running", snapshot.total_active, "package", "state", "worker", "since", *expected)
    for job in snapshot.active[shown]:
        cells = (job.identity, state_of(job), job.worker, ago(snapshot.time, _since(job)))
        rows.add(*cells, *([ends.get(job.job_id, "")] if ends else ()))
    return rows


def _pending(now: float, title: str, total: int, jobs: Iterable[JobView]) -> Rows:
    rows = table(title, total, "package", "class", "queued", _WHY)
    for job in jobs:
        name = f"{job.identity} (promoted)" if job.promoted else job.identity
        rows.add(name, job.build_class, ago(now, job.submitted), first_line(job.reason))
    return rows


def _ended(now: float, title: str, total: int | None, jobs: Iterable[JobView]) -> Rows:
    rows = table(title, total, "package", "result", "ended", "reason")
    for job in jobs:
        rows.add(job.identity, state_of(job), ago(now, job.finished), first_line(job.reason))
    return rows


def _since(job: JobView) -> float:
    """Return when the job came to where it is."""
    return job.finished or job.landed or job.started or job.submitted
