"""Reads single jobs and removals, without a script: some round trips, each of one instant.

What is found in one may have moved on in the next. So each job and each removal is shown as it
stood when it was read, and those that are forgotten by then are left out; nothing is promised
about several of them together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from scheduler.connection import redis_errors
from scheduler.queue import keys
from scheduler.queue.codec import decode_job, decode_removal
from scheduler.queue.model import RemovalView
from scheduler.queue.notes import JobRecord, notes_from
from scheduler.queue.running import run_script
from scheduler.queue.views import job_from, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from redis import Redis
    from redis.client import Pipeline

    from scheduler.job import JobSpec
    from scheduler.queue.model import JobView

_REMOVAL_FIELDS = (
    *("scope", "state", "body", "reason", "submitted", "request", "owner", "attempt"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a reference may mean: a job, by its id, and packages, by identity."""

    job: JobView | None
    packages: dict[str, tuple[JobView, ...]]


def look_up(
    redis: Redis, pkgbase: str, *, target_repo: str = "", arch: str = "", job_id: int | None = None
) -> Found:
    """Return the job of that id, and the jobs of each package that is meant.

    Those of a package are its pending and its running job, or else the newest that ended. No
    target repository or architecture means all of them.
    """
    ids = _ids_of_packages(redis, _identities(redis, pkgbase, target_repo, arch))
    wanted = {id_ for some in ids.values() for id_ in some} | ({job_id} if job_id else set())
    jobs = read_jobs(redis, sorted(wanted))
    packages = {
        identity: tuple(jobs[id_] for id_ in some if id_ in jobs) for identity, some in ids.items()
    }
    return Found(
        job=jobs.get(job_id) if job_id else None,
        packages={identity: views for identity, views in packages.items() if views},
    )


def read_jobs(redis: Redis, job_ids: Sequence[int]) -> dict[int, JobView]:
    """Return those of the jobs that are known."""

    def ask(step: Pipeline) -> None:
        for job_id in job_ids:
            step.hgetall(keys.job(job_id))
            step.hkeys(keys.failed_deps(job_id))
            step.smembers(keys.skipped(job_id))

    answers = iter(_at_once(redis, ask) if job_ids else ())
    jobs = {}
    for job_id, fields, failed, skipped in zip(job_ids, answers, answers, answers, strict=True):
        if fields:
            data: dict[str, Any] = _decoded(fields)
            if data.get("place") == "held":
                data["held_by"] = _counting(redis, failed, skipped)
            jobs[job_id] = job_from(job_id, data)
    return jobs


def read_records(redis: Redis, job_ids: Sequence[int]) -> dict[int, JobRecord]:
    """Return all that is kept of those of the jobs that are known."""

    def ask(step: Pipeline) -> None:
        for job_id in job_ids:
            step.hgetall(keys.job(job_id))

    answers = _at_once(redis, ask) if job_ids else []
    records = {}
    for job_id, fields in zip(job_ids, answers, strict=True):
        # A hash without an identity is of a job that was forgotten while something was noted of it.
        if b"identity" in fields:
            data = _decoded(fields)
            records[job_id] = JobRecord(
                view=job_from(job_id, data),
                spec=_spec(data.get("spec", "")),
                request_id=data.get("request", ""),
                notes=notes_from(data),
            )
    return records


def _spec(text: str) -> JobSpec | None:
    try:
        return decode_job(text)
    except (ValueError, TypeError, KeyError, AttributeError):  # somebody else has written it
        return None


def read_removals(redis: Redis) -> tuple[RemovalView, ...]:
    """Return the removals that are not finished, those that are held back first."""

    def ask_for_ids(step: Pipeline) -> None:
        step.zrange(keys.HELD_REMOVALS, 0, -1)
        step.lrange(keys.REMOVALS, 0, -1)

    ids = [int(id_) for some in _at_once(redis, ask_for_ids) for id_ in some]

    def ask(step: Pipeline) -> None:
        for id_ in ids:
            step.hmget(keys.removal(id_), *_REMOVAL_FIELDS)

    records = _at_once(redis, ask) if ids else []
    views = (_removal(id_, values) for id_, values in zip(ids, records, strict=True))
    return tuple(view for view in views if view is not None)


def _removal(removal_id: int, values: Sequence[bytes | None]) -> RemovalView | None:
    known = {
        field: value.decode(errors="replace")
        for field, value in zip(_REMOVAL_FIELDS, values, strict=True)
        if value is not None
    }
    if known.get("state", "done") == "done":
        return None
    return RemovalView(
        removal_id=removal_id,
        scope=known["scope"],
        removal=decode_removal(known["body"]),
        held=known["state"] == "held",
        reason=known.get("reason", ""),
        worker=known.get("owner", "") if known["state"] == "publishing" else "",
        attempt=int(known["attempt"]),
        request_id=known["request"],
        submitted=seconds(known["submitted"]),
    )


def _identities(redis: Redis, pkgbase: str, target_repo: str, arch: str) -> list[str]:
    if target_repo and arch:
        return [f"{target_repo}/{arch}/{pkgbase}"]
    with redis_errors():
        scopes = cast("set[bytes]", redis.smembers(keys.SCOPES))
    return [
        f"{scope}/{pkgbase}"
        for scope in sorted(map(bytes.decode, scopes))
        if target_repo in {"", scope.partition("/")[0]}
    ]


def _ids_of_packages(redis: Redis, identities: Sequence[str]) -> dict[str, list[int]]:
    if not identities:
        return {}

    def ask(step: Pipeline) -> None:
        for mapping in (keys.PENDING, keys.ACTIVE, keys.LAST):
            step.hmget(mapping, *identities)

    return {
        identity: [int(id_) for id_ in (pending, active) if id_]
        or [int(id_) for id_ in (last,) if id_]
        for identity, pending, active, last in zip(identities, *_at_once(redis, ask), strict=True)
    }


def _counting(redis: Redis, failed: Iterable[bytes], skipped: set[bytes]) -> list[str]:
    """Return the failed dependencies but for those whose next job does not have to come first."""
    identities = sorted(failed)
    if not (identities and skipped):
        return [identity.decode() for identity in identities]
    with redis_errors():
        pending = cast("list[bytes | None]", redis.hmget(keys.PENDING, identities))
    return [
        identity.decode()
        for identity, id_ in zip(identities, pending, strict=True)
        if id_ not in skipped
    ]


def _at_once(redis: Redis, ask: Callable[[Pipeline], None]) -> list[Any]:
    """Return the answers to what `ask` asks, all of one instant at which the queue is open."""
    while True:
        with redis_errors(), redis.pipeline(transaction=True) as step:
            step.exists(keys.INTAKE)
            ask(step)
            is_closed, *answers = step.execute()
        if not is_closed:
            return answers
        run_script(redis, "open")


def _decoded(fields: dict[bytes, bytes]) -> dict[str, str]:
    return {key.decode(): value.decode(errors="replace") for key, value in fields.items()}
