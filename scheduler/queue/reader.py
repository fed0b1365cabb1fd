"""Looking at the queue without changing anything."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

from caur_ci.errors import InputError
from caur_ci.names import check_architecture, check_package_name, check_repository_name
from scheduler.connection import redis_errors
from scheduler.queue import keys
from scheduler.queue.codec import decode_job
from scheduler.queue.lookup import Found, look_up, read_jobs, read_records, read_removals
from scheduler.queue.model import Repositories
from scheduler.queue.running import run_script
from scheduler.queue.views import (
    event_from,
    explanation_from,
    groups_from,
    seconds,
    snapshot_from,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis import Redis

    from scheduler.job import JobSpec
    from scheduler.queue.model import (
        Event,
        Explanation,
        JobReference,
        JobView,
        QueueSnapshot,
        RemovalView,
    )
    from scheduler.queue.notes import JobRecord
    from scheduler.queue.rebuild_groups import GroupView

# A command that waits in the server is asked again after this time.
LONGEST_BLOCK = 5.0
SHORTEST_BLOCK = 0.01
_SHOWN_BLOCKERS = 200


class QueueReader:
    """A look at one queue, in one Redis database. Safe to use from several threads.

    Every method raises TemporaryError when Redis is out of reach.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    @property
    def client(self) -> Redis:
        """The database, for what is kept beside the queue."""
        return self._redis

    def snapshot(self, *, limit: int = 100) -> QueueSnapshot:
        """Return the queue at this instant, at most `limit` jobs of each kind."""
        notes = self._notes()
        return snapshot_from(self._run("snapshot", limit), notes)

    def job(self, job_id: int) -> JobView | None:
        """Return a job as it stands, or None if it ended long ago or never was."""
        return read_jobs(self._redis, [job_id]).get(job_id)

    def spec(self, job_id: int) -> JobSpec | None:
        """Return what the job was to build, or None if it ended long ago or never was."""
        with redis_errors():
            text = cast("bytes | None", self._redis.hget(keys.job(job_id), "spec"))
        return decode_job(text) if text is not None else None

    def records(self, job_ids: Sequence[int]) -> dict[int, JobRecord]:
        """Return all that is kept of those of the jobs that are known."""
        return read_records(self._redis, job_ids)

    def ended(self) -> list[int]:
        """Return the ids of the last 1000 jobs that ended, the newest first."""
        with redis_errors():
            return [int(job_id) for job_id in self._redis.lrange(keys.RECENT, 0, -1)]

    def find(self, reference: str) -> tuple[JobView, ...]:
        """Return the jobs that `reference` may mean.

        It is the id of a job, or the name of a package: `pkgbase`, `target_repo/pkgbase` or
        `target_repo/arch/pkgbase`. Of each package these are the pending and the running job, and
        where there are none the newest that ended.

        Raises InputError for what is neither.
        """
        found = self._look_up(reference)
        jobs = {view.job_id: view for jobs in found.packages.values() for view in jobs}
        return (*((found.job,) if found.job else ()), *jobs.values())

    def resolve(self, reference: str) -> JobReference:
        """Return what `reference` means, for the methods that take a target.

        That is the id of a job, or the identity of a package, for the same forms as in `find`.

        Raises InputError where the queue knows no such job or package, or several; the error
        names them.
        """
        found = self._look_up(reference)
        if found.job and not found.packages:
            return found.job.job_id
        if len(found.packages) == 1 and not found.job:
            return next(iter(found.packages))
        if not found.packages:
            raise InputError(
                f"the queue knows no job or package {reference}",
                hint="`caur-ci queue list` shows what it knows. What ended more than a week ago "
                "is forgotten.",
            )
        candidates = [*found.packages, *([f"job {found.job.job_id}"] if found.job else ())]
        raise InputError(f"{reference} may be {', or '.join(candidates)}", hint="Say which one.")

    def explain(self, target: JobReference) -> Explanation | None:
        """Return why the package, or the package of the job, is not being built.

        None where the queue knows nothing about it.
        """
        notes = self._notes()
        answer = self._run("explain", target, _SHOWN_BLOCKERS)
        return explanation_from(answer, notes) if answer else None

    def removals(self) -> tuple[RemovalView, ...]:
        """Return the removals that are not finished, those that are held back first."""
        return read_removals(self._redis)

    def groups(self, name: str = "", *, limit: int = 1000) -> tuple[GroupView, ...]:
        """Return the rebuild groups that are open, or the one called `target_repo/arch/name`.

        Of each at most `limit` members of a kind.
        """
        return groups_from(self._run("view_groups", limit, *([name] if name else [])))

    def repositories(self) -> Repositories:
        """Return the repositories that `Queue.register` was told of within the last 30 days."""
        with redis_errors(), self._redis.pipeline(transaction=False) as step:
            step.hgetall(keys.TARGETS)
            step.hgetall(keys.SOURCES)
            targets, sources = (
                {name.decode(): seconds(seen) for name, seen in known.items()}
                for known in step.execute()
            )
        return Repositories(targets=targets, sources=sources)

    def events(self, after: str = "0", *, block: float = 0.0, limit: int = 1000) -> list[Event]:
        """Return the events that came after the event id `after`, oldest first.

        With `block`, wait up to that many seconds for the first one.
        """
        deadline = time.monotonic() + block
        while True:
            left = min(deadline - time.monotonic(), LONGEST_BLOCK)
            with redis_errors():
                answer: Any = self._redis.xread(
                    {keys.EVENTS: after},
                    count=limit,
                    block=milliseconds(left) if left > SHORTEST_BLOCK else None,
                )
            entries = _stream_entries(answer)
            if entries or left <= SHORTEST_BLOCK:
                return [event_from(event_id, fields) for event_id, fields in entries]

    def last_event_id(self) -> str:
        """Return the id of the newest event, to follow the queue from now on."""
        with redis_errors():
            answer: Any = self._redis.xrevrange(keys.EVENTS, count=1)
        return cast("bytes", answer[0][0]).decode() if answer else "0"

    def _notes(self) -> dict[str, bytes]:
        with redis_errors():
            notes = cast("dict[bytes, bytes]", self._redis.hgetall(keys.NOTES))
        return {worker.decode(): note for worker, note in notes.items()}

    def _look_up(self, reference: str) -> Found:
        target_repo, arch, pkgbase = _parts_of(reference)
        is_id = reference.isdecimal() and reference.isascii()
        return look_up(
            self._redis,
            pkgbase,
            target_repo=target_repo,
            arch=arch,
            job_id=int(reference) if is_id else None,
        )

    def _run(self, script: str, *arguments: str | float) -> Any:  # noqa: ANN401 - see run_script
        return run_script(self._redis, script, *arguments)


def _parts_of(reference: str) -> tuple[str, str, str]:
    """Return target repository, architecture and pkgbase; empty where they are not given."""
    *place, pkgbase = reference.split("/")
    if len(place) > 2:
        raise InputError(
            f"{reference[:200]!r} names no package",
            hint="It looks like PKGBASE, TARGET/PKGBASE, TARGET/ARCH/PKGBASE, or the id of a job.",
        )
    check_package_name(pkgbase)
    target_repo, arch = (*place, "", "")[:2]
    if place:
        check_repository_name(target_repo)
    if len(place) == 2:
        check_architecture(arch)
    return target_repo, arch, pkgbase


def milliseconds(value: float) -> int:
    """Return seconds as what Redis counts in."""
    return round(value * 1000)


def _stream_entries(answer: Any) -> list[tuple[bytes, dict[bytes, bytes]]]:  # noqa: ANN401
    """Return the entries of the one stream read; the client's answer differs by protocol."""
    if not answer:
        return []
    if isinstance(answer, dict):
        (batches,) = answer.values()
        return [entry for batch in batches for entry in batch]
    return cast("list[tuple[bytes, dict[bytes, bytes]]]", answer[0][1])
