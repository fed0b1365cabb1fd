"""Which log is meant: by the queue, and by the history where the queue has forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.errors import InputError, TemporaryError

if TYPE_CHECKING:
    from scheduler.history import BuildLogs, History, PastLog
    from scheduler.queue import QueueReader


@dataclass(frozen=True, slots=True)
class Meant:
    """The logs of a package, or only those of a job, or of an attempt.

    An attempt without a job is one at the latest job that there are logs of.
    """

    identity: str
    job_id: int | None = None
    attempt: int | None = None

    def find(self, logs: BuildLogs) -> list[PastLog]:
        """Return the logs, the oldest first."""
        found = logs.of_package(self.identity)
        job_id = self.job_id
        if self.attempt is not None and job_id is None and found:
            job_id = found[-1].job_id
        return [
            log
            for log in found
            if job_id in {None, log.job_id} and self.attempt in {None, log.attempt}
        ]


def meant_by(
    reference: str,
    queue: QueueReader,
    history: History | None,
    *,
    job_id: int | None = None,
    attempt: int | None = None,
) -> Meant:
    """Return which logs `reference` means, a package or the id of a job.

    Raises InputError where nobody knows it or it may be several, TemporaryError where Redis is out
    of reach and the history does not know it.
    """
    try:
        identity, job = _known_to_queue(queue, reference)
    except (InputError, TemporaryError) as error:
        found = _known_to_history(history, reference)
        if not found:
            raise
        if len(found) > 1:
            names = ", or ".join(identity for identity, _ in found)
            raise InputError(f"{reference} may be {names}", hint="Say which one.") from error
        identity, job = found[0]
    return Meant(identity, job_id if job_id is not None else job, attempt)


def _known_to_queue(queue: QueueReader, reference: str) -> tuple[str, int | None]:
    from caur_ci.cli.queue.targets import target_of  # noqa: PLC0415

    target = target_of(queue, reference)
    if isinstance(target, str):
        return target, None
    job = queue.job(target)
    if job is None:
        raise InputError(f"job {target} ended long ago")
    return job.identity, target


def _known_to_history(history: History | None, reference: str) -> list[tuple[str, int | None]]:
    if history is None:
        return []
    if reference.isdecimal() and reference.isascii() and len(reference) < 16:
        job = history.job(int(reference))
        logs = history.logs.of_job(int(reference))
        identity = job.identity if job else logs[0].identity if logs else ""
        return [(identity, int(reference))] if identity else []
    return [(identity, None) for identity in identities_of(history, reference)]


def identities_of(history: History, reference: str) -> list[str]:
    """Return the packages of the history that PKGBASE, TARGET/PKGBASE or the whole name means."""
    *place, pkgbase = reference.split("/")
    return [
        identity
        for identity in history.identities(pkgbase)
        if identity.split("/")[: len(place)] == place
    ]
