"""Which job or package a word on the command line means."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.cli.working_tree import folder_of
from caur_ci.errors import InputError
from caur_ci.names import suggestion
from scheduler.job import Outcome
from scheduler.queue import JobChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scheduler.queue import JobReference, QueueReader, QueueSnapshot

# Enough to find what somebody mistyped; not more than a question should cost.
_NAMES_LOOKED_AT = 10_000


def resolved(
    queue: QueueReader, references: Sequence[str]
) -> tuple[list[JobReference], list[JobChange]]:
    """Return what the references mean, each once, and refusals for those that are not clear."""
    targets: dict[JobReference, None] = {}
    unclear: list[JobChange] = []
    for reference in references:
        try:
            targets[target_of(queue, reference)] = None
        except InputError as error:
            reason = f"{error.message}. {error.hint}" if error.hint else error.message
            unclear.append(JobChange(target=reference, done=False, reason=reason))
    return list(targets), unclear


def ended_badly(snapshot: QueueSnapshot, *, canceled: bool) -> list[str]:
    """Return the numbers of jobs that failed, took too long or were lost, one for each package.

    With `canceled`, of those that were canceled as well. What has ended otherwise since, or is in
    the queue again, is left out.
    """
    wanted = {Outcome.FAILED, Outcome.TIMED_OUT, Outcome.SOFTWARE_FAILURE}
    wanted |= {Outcome.CANCELED} if canceled else set()
    pending = (snapshot.active, snapshot.ready, snapshot.waiting, snapshot.held, snapshot.delayed)
    seen = {job.identity for jobs in pending for job in jobs}
    ended = {job.job_id: job for job in (*snapshot.recent, *snapshot.quarantine)}
    found: list[str] = []
    for job_id, job in sorted(ended.items(), reverse=True):
        if job.identity not in seen and job.outcome in wanted:
            found.append(str(job_id))
        seen.add(job.identity)
    return found[::-1]


def target_of(queue: QueueReader, reference: str) -> JobReference:
    """Return what `reference` means, which in a working tree may also be a pkgbase in a folder.

    Raises InputError where nothing or several things are meant, naming what could be.
    """
    try:
        return queue.resolve(reference)
    except InputError as error:
        if queue.find(reference):
            raise  # several are meant, and named
        folder = by_folder(reference, Path())
        if folder and queue.find(folder):
            return queue.resolve(folder)
        near = near_names(queue, reference)
        raise InputError(error.message, hint=near or error.hint) from error


def by_folder(reference: str, repo: Path) -> str | None:
    """Return `reference` with the folder that makes the package in its place, if there is one."""
    scope, slash, name = reference.rpartition("/")
    folder = folder_of(name, repo)
    return f"{scope}{slash}{folder}" if folder else None


def near_names(queue: QueueReader, reference: str, others: Iterable[str] = ()) -> str:
    """Return a sentence with names that are like `reference`, or nothing.

    They are those in the queue, and `others`.
    """
    snapshot = queue.snapshot(limit=_NAMES_LOOKED_AT)
    jobs = (
        *(*snapshot.active, *snapshot.ready, *snapshot.waiting, *snapshot.held),
        *(*snapshot.delayed, *snapshot.quarantine, *snapshot.recent),
    )
    known = _in_form_of(reference, {job.identity for job in jobs})
    return suggestion(reference, known.union(others))


def _in_form_of(reference: str, identities: Iterable[str]) -> set[str]:
    """Return the identities, shortened in the way that `reference` is."""
    parts = [identity.split("/") for identity in identities]
    match reference.count("/"):
        case 0:
            return {base for _, _, base in parts}
        case 1:
            return {f"{target}/{base}" for target, _, base in parts}
        case _:
            return {"/".join(part) for part in parts}
