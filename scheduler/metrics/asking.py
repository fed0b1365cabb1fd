"""What the queue looks like at the moment that somebody asks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from scheduler.connection import redis_errors
from scheduler.job import JobState
from scheduler.metrics.counting import Labels
from scheduler.queue import keys

if TYPE_CHECKING:
    from collections.abc import Iterable

    from redis import Redis

    from scheduler.queue import JobView, QueueReader, QueueSnapshot, WorkerView

# Of each kind: enough to find the oldest one behind some that were promoted.
_LOOKED_AT = 100
# Of the lists of ready jobs, which may have entries that are not true any more; what is behind
# these is believed.
_CHECKED = 2000
_CLASSES = f"{keys.PREFIX}classes"
_NAMED = f"{keys.PREFIX}named"
_RUNNING = (JobState.BUILDING, JobState.LANDED, JobState.PUBLISHING, JobState.STAGED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """The queue at one instant: numbers by label, ages in seconds, sizes in bytes."""

    jobs: dict[str, int]
    ready: dict[str, int]
    oldest: dict[str, float]
    paused: bool
    quarantined: int
    removals: dict[str, int]
    workers: dict[tuple[str, ...], int]
    runners: int
    logs: int
    log_bytes: int


def look(queue: QueueReader) -> Looks:
    """Look at the queue. Raises TemporaryError."""
    snapshot = queue.snapshot(limit=_LOOKED_AT)
    labels = Labels.of(queue)
    logs, log_bytes = _logs(queue.client)
    with redis_errors():
        held = queue.client.zcard(keys.HELD_REMOVALS)
    return Looks(
        jobs=_jobs(queue, snapshot),
        ready=_ready(queue.client, labels),
        oldest={
            "ready": _age(snapshot.ready, snapshot.time),
            "waiting": _age(snapshot.waiting, snapshot.time),
            "held": _age(snapshot.held, snapshot.time),
            "delayed": _age(snapshot.delayed, snapshot.time),
        },
        paused=snapshot.paused is not None,
        quarantined=snapshot.total_quarantine,
        removals={"waiting": max(0, snapshot.total_removals - held), "held": held},
        workers=_workers(snapshot.workers, labels),
        runners=sum(not worker.build_class for worker in snapshot.workers),
        logs=logs,
        log_bytes=log_bytes,
    )


def _jobs(queue: QueueReader, snapshot: QueueSnapshot) -> dict[str, int]:
    counts = {
        "ready": snapshot.total_ready,
        "waiting": snapshot.total_waiting,
        "held": snapshot.total_held,
        "delayed": snapshot.total_delayed,
    }
    running = Counter(_running(queue, snapshot))
    return counts | {str(state): running[state] for state in _RUNNING}


def _running(queue: QueueReader, snapshot: QueueSnapshot) -> Iterable[str]:
    """Return the state of each running job."""
    if snapshot.total_active <= len(snapshot.active):
        return [job.state for job in snapshot.active]
    return [job.state for job in queue.snapshot(limit=snapshot.total_active).active]


def _age(jobs: Iterable[JobView], now: float) -> float:
    return max((now - job.submitted for job in jobs if job.submitted), default=0.0)


def _workers(workers: Iterable[WorkerView], labels: Labels) -> dict[tuple[str, ...], int]:
    return dict(
        Counter(
            (_state_of(worker), labels.build_class(str(worker.build_class)))
            for worker in workers
            if worker.build_class
        )
    )


def _state_of(worker: WorkerView) -> str:
    if worker.draining:
        return "draining"
    if worker.jobs:
        return "building"
    return "troubled" if worker.trouble else "idle"


def _ready(redis: Redis, labels: Labels) -> dict[str, int]:
    """Return how many ready jobs there are of each class."""
    with redis_errors():
        numeric = cast("list[bytes]", redis.zrange(_CLASSES, 0, -1))
        named = cast("set[bytes]", redis.smembers(_NAMED))
    found: Counter[str] = Counter()
    for name in [*numeric, *sorted(named)]:
        lane = name.decode()
        for kind in ("front", "ready"):
            build_class = labels.build_class(lane.rpartition("/")[2])
            found[build_class] += _listed(redis, f"{kind}:{lane}")
    return dict(found)


def _listed(redis: Redis, queued: str) -> int:
    """Return how many entries of a list hold true."""
    with redis_errors():
        entries = cast("list[bytes]", redis.lrange(f"{keys.PREFIX}{queued}", 0, _CHECKED - 1))
        length = redis.llen(f"{keys.PREFIX}{queued}")
        with redis.pipeline(transaction=False) as step:
            for entry in entries:
                step.hmget(keys.job(int(entry.rpartition(b":")[2])), "state", "queued")
            answers = step.execute() if entries else []
    true = {
        entry.rpartition(b":")[2]
        for entry, answer in zip(entries, answers, strict=True)
        if answer == [JobState.READY.encode(), queued.encode()]
    }
    return len(true) + max(0, length - len(entries))


def _logs(redis: Redis) -> tuple[int, int]:
    """Return how many logs there are, and their size in bytes."""
    with redis_errors():
        names = cast("list[bytes]", redis.zrange(keys.LOGS, 0, -1))
        with redis.pipeline(transaction=False) as step:
            for name in names:
                job_id, _, attempt = name.partition(b":")
                step.strlen(keys.log(int(job_id), int(attempt)))
            sizes = step.execute() if names else []
    return len(names), sum(sizes)
