"""Turns what Redis answers into what the queue hands out."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Self, cast

from caur_ci.architectures import DEFAULT_ARCHITECTURE
from scheduler.job import FailureClass, GroupPublishing, JobState, Outcome
from scheduler.queue.model import (
    Blocker,
    Event,
    Explanation,
    JobView,
    Pause,
    QueueSnapshot,
    WorkerView,
)
from scheduler.queue.notes import usage_from
from scheduler.queue.rebuild_groups import GroupView

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# Three of the longest leases that renew it.
_SILENT_MINUTES = 3
_STATE_WORDS = {
    JobState.WAITING: "waiting",
    JobState.READY: "ready",
    JobState.BUILDING: "being built",
    JobState.LANDED: "built, not yet published",
    JobState.PUBLISHING: "being published",
    JobState.STAGED: "built and staged, waits for its rebuild group",
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
        state=JobState(text["state"]) if text["state"] else None,
        outcome=_outcome(text["outcome"]),
        failure=_failure(text["failure"]),
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
    view = JobView(
        job_id=job_id,
        identity=fields["identity"],
        state=JobState(fields["state"]),
        build_class=fields["class"],
        attempt=int(fields.get("attempt") or 0),
        worker=fields.get("worker") or "",
        outcome=_outcome(fields.get("outcome")),
        failure=_failure(fields.get("failure")),
        reason=reason or fields.get("reason") or fields.get("caution") or "",
        submitted=seconds(fields.get("submitted")),
        started=seconds(fields.get("started")),
        landed=seconds(fields.get("landed")),
        finished=seconds(fields.get("finished")),
        delivery=fields.get("delivery") or "",
        held_by=tuple(fields.get("held_by") or ()),
        delayed_until=seconds(fields.get("due")) if fields.get("place") == "delayed" else 0.0,
        lost=int(fields.get("lost") or 0),
        promoted=bool(fields.get("rank")),
        cancel=bool(fields.get("cancel")),
        quarantined=bool(fields.get("quarantined")),
        usage=usage_from(fields),
        group=fields.get("group") or "",
    )
    if reason:
        return view
    return replace(view, reason=_state_reason(view, fields.get("setback") or ""))


def snapshot_from(text: bytes, notes: Mapping[str, bytes]) -> QueueSnapshot:
    """Return the snapshot that the script wrote; `notes` are those of workers, by their ids."""
    data = cast("dict[str, Any]", json.loads(text))
    workers, pause, totals = _workers(data, notes), _pause(data.get("pause")), data["totals"]
    return QueueSnapshot(
        time=seconds(data["now"]),
        workers=workers,
        active=_jobs(data["active"]),
        ready=tuple(
            job_from(
                job["id"],
                job,
                _why_ready_waits(_Lane.of(job["identity"], job["class"]), workers, pause),
            )
            for job in data["ready"]
        ),
        waiting=tuple(_waiting(job) for job in data["waiting"]),
        held=_jobs(data["held"]),
        delayed=_jobs(data["delayed"]),
        quarantine=_jobs(data["quarantine"]),
        recent=_jobs(data["recent"]),
        paused=pause,
        total_active=totals["active"],
        total_ready=totals["ready"],
        total_waiting=totals["waiting"],
        total_held=totals["held"],
        total_delayed=totals["delayed"],
        total_quarantine=totals["quarantine"],
        total_removals=totals["removals"],
        total_groups=totals["groups"],
    )


def explanation_from(text: bytes, notes: Mapping[str, bytes]) -> Explanation:
    """Return the explanation that the script wrote the facts of; about `notes` as above."""
    data = cast("dict[str, Any]", json.loads(text))
    pending, workers, pause = (
        _job(data.get("pending")),
        _workers(data, notes),
        _pause(data.get("pause")),
    )
    lane = _Lane.of(pending.identity, pending.build_class) if pending else None
    explanation = Explanation(
        identity=data["identity"],
        pending=pending,
        running=_job(data.get("running")),
        last=_job(data.get("last")),
        blockers=tuple(
            Blocker(
                job=job_from(entry["job"]["id"], entry["job"]),
                waiter=entry["waiter"],
                name=entry.get("name") or "",
            )
            for entry in data["blockers"]
        ),
        more_blockers=data["more"],
        ahead=int(data["ahead"]),
        able=_eligible(lane, workers) if lane else (),
        unwell=_unwell(lane, workers) if lane else (),
        paused=pause,
        group=_group(data["group"]) if data.get("group") else None,
    )
    return replace(explanation, reasons=tuple(_reasons(explanation)))


def _waiting(job: dict[str, Any]) -> JobView:
    view = job_from(job["id"], job, _why_it_waits(job["identity"], job["blockers"]))
    return replace(view, waits_for=tuple(identity for identity, _ in job["blockers"]))


def groups_from(text: bytes) -> tuple[GroupView, ...]:
    """Return the groups that the script wrote."""
    return tuple(_group(group) for group in json.loads(text))


def _group(data: Mapping[str, Any]) -> GroupView:
    """Return one of them."""
    parts = cast("dict[str, Iterable[dict[str, Any]]]", data["parts"])
    members = {part: tuple(job_from(it["id"], it) for it in some) for part, some in parts.items()}
    return GroupView(
        name=data["name"],
        publish=GroupPublishing(data["publish"]),
        opened=seconds(data["opened"]),
        unbuilt=members["unbuilt"],
        staged=members["staged_in"],
        publishing=members["publishing_in"],
        failed=members["failed_in"],
        total=sum(data["totals"].values()),
        trouble=data.get("trouble") or "",
        waits_for={job["identity"]: tuple(job.get("waits_for") or ()) for job in parts["unbuilt"]},
    )


def _outcome(text: str | None) -> Outcome | None:
    return Outcome(int(text)) if text else None


def _failure(text: str | None) -> FailureClass | None:
    try:
        return FailureClass(text) if text else None
    except ValueError:  # of a later version
        return FailureClass.UNKNOWN


def _job(job: dict[str, Any] | None) -> JobView | None:
    return job_from(job["id"], job) if job else None


def _jobs(jobs: Iterable[dict[str, Any]]) -> tuple[JobView, ...]:
    return tuple(job_from(job["id"], job) for job in jobs)


def _workers(data: Mapping[str, Any], notes: Mapping[str, bytes]) -> tuple[WorkerView, ...]:
    now = seconds(data["now"])
    views = (
        WorkerView(
            id=worker["id"],
            name=worker["name"],
            build_class=int(worker["class"]),
            seen=seconds(worker.get("seen")),
            jobs=tuple(int(job_id) for job_id in worker["jobs"]),
            draining=worker["draining"],
            trouble=_trouble(notes.get(worker["id"]), now) or _silence(worker.get("seen"), now),
            architectures=tuple(worker["architectures"].split()),
        )
        for worker in data["workers"]
    )
    return tuple(sorted(views, key=lambda worker: worker.id))


def _trouble(note: bytes | None, now: float) -> str:
    told = json.loads(note) if note else {"until": 0.0}
    return str(told["text"]) if told["until"] > now else ""


def _silence(seen: float | str | None, now: float) -> str:
    """Return that a worker may have died; one that is well asks for jobs or renews its lease."""
    minutes = int((now - seconds(seen)) // 60)
    return f"it was not heard of for {minutes} minutes" if minutes >= _SILENT_MINUTES else ""


def _pause(pause: dict[str, str] | None) -> Pause | None:
    return Pause(since=seconds(pause["since"]), reason=pause["reason"]) if pause else None


class _Lane(NamedTuple):
    """What a job asks of a worker."""

    arch: str
    build_class: str

    @classmethod
    def of(cls, identity: str, build_class: str) -> Self:
        return cls(identity.split("/")[1], build_class)

    def is_for(self, worker: WorkerView) -> bool:
        return not worker.draining and worker.may_build(self.arch, self.build_class)


def _eligible(lane: _Lane, workers: Iterable[WorkerView]) -> tuple[WorkerView, ...]:
    """Return the workers that may build such jobs, are to go on, and take jobs."""
    return tuple(worker for worker in workers if lane.is_for(worker) and not worker.trouble)


def _unwell(lane: _Lane, workers: Iterable[WorkerView]) -> tuple[WorkerView, ...]:
    """Return those that might build such jobs if they took any."""
    return tuple(worker for worker in workers if lane.is_for(worker) and worker.trouble)


def _state_reason(view: JobView, setback: str) -> str:
    """Return the reason for which a job is where it is, as far as it knows itself."""
    if view.held_by:
        return f"held: {view.reason}" if view.reason else f"held for {', '.join(view.held_by)}"
    if view.delayed_until:
        when = datetime.fromtimestamp(view.delayed_until, tz=UTC).strftime("%H:%M:%S")
        times = "once" if view.lost == 1 else f"{view.lost} times"
        why = f", at last: {setback}" if setback else ""
        return f"not handed out before {when} UTC: its build was lost {times}{why}"
    return view.reason


def _why_it_waits(identity: str, blockers: Iterable[list[str]]) -> str:
    reasons = []
    for blocker, state in blockers:
        words = _STATE_WORDS[JobState(state)]
        if blocker == identity:
            reasons.append(f"its own earlier build, which is {words}")
        else:
            reasons.append(f"{blocker} ({words})")
    return f"waits for {', '.join(reasons)}" if reasons else ""


def _why_ready_waits(lane: _Lane, workers: Iterable[WorkerView], pause: Pause | None = None) -> str:
    """Return why nobody has taken a ready job yet."""
    if pause:
        return _why_paused(pause)
    workers = tuple(workers)
    if _eligible(lane, workers):
        return ""
    if unwell := _unwell(lane, workers):
        return "; ".join(f"{worker.name} takes no jobs: {worker.trouble}" for worker in unwell[:3])
    which = "" if lane.arch == DEFAULT_ARCHITECTURE else f" that builds {lane.arch}"
    if lane.build_class.isdigit():
        return f"waits for a worker of class {lane.build_class} or higher{which}"
    return f"waits for the worker {lane.build_class}{which}"


def _why_paused(pause: Pause) -> str:
    return f"the queue is paused: {pause.reason}" if pause.reason else "the queue is paused"


def _reasons(facts: Explanation) -> Iterator[str]:
    if facts.running:
        yield from _reasons_of_running(facts.running)
    if facts.pending:
        yield from _reasons_of_pending(facts.pending, facts)
    if not facts.pending and not facts.running and facts.last:
        yield from _reasons_of_ended(facts.last)
    if facts.group:
        yield from reasons_of_group(facts.group)


def _reasons_of_running(job: JobView) -> Iterator[str]:
    worker = f" by {job.worker}" if job.state is JobState.BUILDING else ""
    yield f"it is {_STATE_WORDS[job.state]}{worker}, as job {job.job_id}"
    if job.state is JobState.LANDED and job.reason:
        yield f"it was not published: {job.reason}"
    if job.cancel:
        yield "its holder was asked to stop"


def _reasons_of_pending(job: JobView, facts: Explanation) -> Iterator[str]:
    if job.held_by or job.delayed_until:
        yield job.reason
    direct = [blocker for blocker in facts.blockers if blocker.waiter == job.job_id]
    if direct:
        yield _why_it_waits(
            job.identity, ([blocker.job.identity, blocker.job.state] for blocker in direct)
        )
    for blocker in facts.blockers:
        if blocker.job.held_by or blocker.job.delayed_until:
            yield f"{blocker.job.identity} is {blocker.job.reason}"
    lane = _Lane.of(job.identity, job.build_class)
    if obstacle := _why_ready_waits(lane, (*facts.able, *facts.unwell), facts.paused):
        yield obstacle
    elif job.state is JobState.READY:
        ahead = f", {facts.ahead} ready jobs of its class go first" if facts.ahead else ""
        yield f"it is ready and waits for a worker to be free{ahead}"


def _reasons_of_ended(job: JobView) -> Iterator[str]:
    words = job.outcome.name.lower().replace("_", " ") if job.outcome is not None else "unknown"
    words += f" ({job.failure})" if job.failure else ""
    yield f"its last job, {job.job_id}, ended: {words}" + (f", {job.reason}" if job.reason else "")
    if job.quarantined:
        yield "it is in quarantine until it is retried or submitted again"


def reasons_of_group(group: GroupView) -> Iterator[str]:
    """Yield in sentences where a rebuild group stands, and who holds it up."""
    if group.trouble:
        yield f"its rebuild group {group.name} was not published: {group.trouble}"
    for member in group.failed:
        others = [_base(identity) for identity in group.held_up_by(member)]
        also = f", and with it {', '.join(others)}" if others else ""
        words = f" ({member.failure})" if member.failure else ""
        verb = "is left out of" if not group.is_held_up else "holds up"
        yield f"{_base(member.identity)}{words} {verb} the rebuild group {group.name}{also}"
    if not group.is_held_up:
        built = len(group.staged) + len(group.publishing)
        yield (
            f"it is published with the rebuild group {group.name}, of which {built} of "
            f"{group.total} jobs are staged"
        )


def _base(identity: str) -> str:
    return identity.rpartition("/")[2]
