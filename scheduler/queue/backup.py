"""Backups of the queue: reading them out of it, and checking and bringing back what one holds."""

from __future__ import annotations

import json
import secrets
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from caur_ci.errors import InputError, TemporaryError
from scheduler.queue.codec import decode_job, decode_removal, encode_job, encode_removal
from scheduler.queue.model import PROTOCOL, Restored
from scheduler.queue.running import complete, run_script
from scheduler.queue.staging import stage
from scheduler.schemas import problem_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from redis import Redis

    from scheduler.job import JobSpec

_READ_AT_ONCE = 300
# States of jobs that have ended, and are told of all the same.
_ENDED = frozenset({"quarantine", "failed"})
# What `restore` answers.
_NOT_EMPTY, _BEGUN = 0, 1


def read_backup(redis: Redis) -> list[bytes]:
    """Return the documents of a backup, as JSON.

    Raises TemporaryError when Redis is out of reach, or reading took too long.
    """
    token = secrets.token_hex(8)
    answer: tuple[list[bytes], bytes] = run_script(redis, "backup", token, _READ_AT_ONCE)
    documents, listed = answer
    if not listed:
        return documents
    jobs = _in_order(listed.decode().split(" "))
    try:
        for first in range(0, len(jobs), 2 * _READ_AT_ONCE):
            some = run_script(redis, "backup_jobs", token, *jobs[first : first + 2 * _READ_AT_ONCE])
            if some is None:
                raise TemporaryError(
                    "the backup took so long that the queue went on in between",
                    hint="What was read of it is of no use; begin again.",
                )
            documents += some
    finally:
        run_script(redis, "backup_end", token)
    return documents


def _in_order(listed: list[str]) -> list[str]:
    """Return ids and states with the pending jobs in order of their turns; they are together."""
    jobs = list(zip(*[iter(listed)] * 2, strict=True))
    first = next((place for place, (_, state) in enumerate(jobs) if state == "pending"), len(jobs))
    last = first + sum(state == "pending" for _, state in jobs)
    jobs[first:last] = sorted(jobs[first:last], key=lambda job: int(job[0]))
    return [part for job in jobs for part in job]


def restore_backup(redis: Redis, documents: Iterable[Mapping[str, Any]]) -> Restored:
    """Make the empty queue what the documents say.

    Raises InputError where the queue is not empty or a document is not of a backup.
    """
    backup = _Backup()
    for document in documents:
        backup.add(document)
    jobs = backup.admitted()
    token = stage(redis, [job.staged() for job in jobs], [job.spec for job in jobs])
    answer = run_script(redis, "restore", PROTOCOL, token, len(jobs), *backup.others)
    if answer == _NOT_EMPTY:
        raise InputError(
            "the queue is not empty",
            hint="Restore into an empty one, or empty it with `caur-ci queue reset` first.",
        )
    if answer != _BEGUN:
        raise TemporaryError(
            "handing the backup over took so long that a part of it was forgotten",
            hint="Nothing of it is in the queue; try again.",
        )
    complete(redis, "take_in")
    return Restored(
        jobs=len(jobs),
        quarantined=backup.counts["quarantine"],
        removals=backup.counts["removal"],
        requests=backup.counts["request"],
        superseded=len(backup.jobs) - len(jobs),
    )


@dataclass(frozen=True, slots=True)
class _Job:
    """A job that has not ended; `about` is its document without what is to be built."""

    about: dict[str, Any]
    spec: JobSpec
    text: str

    @property
    def state(self) -> str:
        return str(self.about["state"])

    def staged(self) -> str:
        """Return the two lines in which it is taken in."""
        return f"{json.dumps(self.about)}\n{self.text}"


class _Backup:
    """What is in a backup, checked."""

    def __init__(self) -> None:
        self.jobs: list[_Job] = []
        # Of everything else the documents, and after each what it says about a job or removal.
        self.others: list[str] = []
        self.counts: Counter[str] = Counter()

    def add(self, document: Mapping[str, Any]) -> None:
        """Take a document in. Raises InputError for what is no such document."""
        data = dict(document)
        if problem := problem_of("backup", data):
            raise InputError(f"this is no part of a backup: {problem}")
        try:
            self._add(data)
        except (TypeError, KeyError, ValueError) as error:
            raise InputError(f"this is no part of a backup: {error}") from error

    def _add(self, data: dict[str, Any]) -> None:
        content = ""
        if data["kind"] == "job":
            spec = decode_job(json.dumps(data.pop("spec")))
            content = encode_job(spec)
            if data["state"] not in _ENDED:
                self.jobs.append(_Job(data, spec, content))
                return
        elif data["kind"] == "removal":
            content = encode_removal(decode_removal(json.dumps(data.pop("removal"))))
        self.counts[data.get("state", data["kind"])] += 1
        self.others += [json.dumps(data), content]

    def admitted(self) -> list[_Job]:
        """Return the jobs but for the builds that a newer job waits for.

        Those that wait for their identity to be published are told so.
        """
        pending, landed = (
            {job.spec.identity for job in self.jobs if job.state == state}
            for state in ("pending", "landed")
        )
        admitted = []
        for job in self.jobs:
            if job.state == "building" and job.spec.identity in pending:
                continue
            job.about["succeeds"] = job.state != "landed" and job.spec.identity in landed
            admitted.append(job)
        return admitted
