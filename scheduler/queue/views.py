"""Turns what Redis answers into what the queue hands out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from scheduler.job import Outcome, State
from scheduler.queue.model import Event, JobView, QueueSnapshot, WorkerView

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_STATE_WORDS = {
    State.WAITING: "waiting",
    State.READY: "ready",
    State.BUILDING: "being built",
    State.LANDED: "built, not yet published",
    State.PUBLISHING: "being published",
}


def seconds(milliseconds: str | bytes | float | None) -> float:
    """Return a time of Redis as Unix time, 0 where there is none."""
    return float(milliseconds or 0) / 1000


def event_from(event_id: bytes, fields: Mapping[bytes, bytes]) -> Event:
    """Return one entry of the event stream."""
    text = {key.decode(): value.decode(errors="replace") for key, value in fields.items()}
    return Event(
        id=event_id.decode(),
        kind=text["kind"],
        time=seconds(event_id.split(b"-")[0]),
        job_id=int(text["job"]),
        identity=text["identity"],
        state=State(text["state"]) if text["state"] else None,
        outcome=_outcome(text["outcome"]),
        worker=text["worker"],
        attempt=int(text["attempt"]),
        build_class=text["class"],
        reason=text["reason"],
        request_id=text["request"],
        submitted=seconds(text["submitted"]),
        started=seconds(text["started"]),
    )


def job_from(job_id: int, fields: Mapping[str, Any], reason: str = "") -> JobView:
    """Return a job as its hash describes it; `reason` goes before the one kept there."""
    return JobView(
        job_id=job_id,
        identity=fields["identity"],
        state=State(fields["state"]),
        build_class=fields["class"],
        attempt=int(fields.get("attempt") or 0),
        worker=fields.get("worker") or "",
        outcome=_outcome(fields.get("outcome")),
        reason=reason or fields.get("reason") or fields.get("caution") or "",
        submitted=seconds(fields.get("submitted")),
        started=seconds(fields.get("started")),
        landed=seconds(fields.get("landed")),
        finished=seconds(fields.get("finished")),
    )


def snapshot_from(text: bytes) -> QueueSnapshot:
    """Return the snapshot that the script wrote."""
    data = cast("dict[str, Any]", json.loads(text))
    workers = tuple(sorted(map(_worker, data["workers"]), key=lambda worker: worker.id))
    return QueueSnapshot(
        time=seconds(data["now"]),
        workers=workers,
        active=_jobs(data["active"]),
        ready=tuple(
            job_from(job["id"], job, _why_ready_waits(job["class"], workers))
            for job in data["ready"]
        ),
        waiting=tuple(
            job_from(job["id"], job, _why_it_waits(job["identity"], job["blockers"]))
            for job in data["waiting"]
        ),
        held=(),
        delayed=(),
        quarantine=(),
        recent=_jobs(data["recent"]),
        paused=None,
        total_active=data["total_active"],
        total_ready=data["total_ready"],
        total_waiting=data["total_waiting"],
        total_held=0,
        total_delayed=0,
        total_quarantine=0,
        total_removals=data["total_removals"],
    )


def _outcome(text: str | None) -> Outcome | None:
    return Outcome(int(text)) if text else None


def _jobs(jobs: Iterable[dict[str, Any]]) -> tuple[JobView, ...]:
    return tuple(job_from(job["id"], job) for job in jobs)


def _worker(worker: dict[str, Any]) -> WorkerView:
    build_class, _, name = worker["description"].partition(" ")
    return WorkerView(
        id=worker["id"],
        name=name,
        build_class=int(build_class),
        seen=seconds(worker["seen"]),
        jobs=tuple(int(job_id) for job_id in worker["jobs"]),
    )


def _why_it_waits(identity: str, blockers: Iterable[list[str]]) -> str:
    reasons = []
    for blocker, state in blockers:
        words = _STATE_WORDS[State(state)]
        if blocker == identity:
            reasons.append(f"its own earlier build, which is {words}")
        else:
            reasons.append(f"{blocker} ({words})")
    return f"waits for {', '.join(reasons)}" if reasons else ""


def _why_ready_waits(build_class: str, workers: Iterable[WorkerView]) -> str:
    """Return why nobody has taken a ready job yet."""
    if build_class.isdigit():
        able = any(worker.build_class >= int(build_class) for worker in workers)
        return "" if able else f"waits for a worker of class {build_class} or higher"
    able = any(worker.name == build_class and worker.build_class for worker in workers)
    return "" if able else f"waits for the worker {build_class}"
