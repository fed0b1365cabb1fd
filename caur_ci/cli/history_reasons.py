"""What the history has to say about a package that the queue has forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.cli.log_search import identities_of
from caur_ci.cli.queue_view import timestamp
from caur_ci.cli.reasons import Reason
from caur_ci.errors import CaurError
from caur_ci.plaintext import first_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.cli.session import Session
    from scheduler.history import History, PastJob


def history_reasons(session: Session, package: str) -> list[Reason]:
    """Return how the last jobs of a package ended, and what it brought last.

    Nothing where the history is not on this machine, or does not know it.
    """
    from caur_ci.cli.history_access import known_history  # noqa: PLC0415

    with known_history(session) as history:
        try:
            found = list(_reasons(history, package)) if history is not None else []
        except CaurError as error:
            session.warn(f"the history is left out: {error.message}")
            return []
    return found


def _reasons(history: History, package: str) -> Iterator[Reason]:
    for identity in identities_of(history, package):
        last = next(iter(history.of_package(identity, limit=1)), None)
        if last is None:
            continue
        because = []
        success = history.last_success(identity)
        if success is not None and success.files:
            because.append(_reason(f"published {_when(success)}: {_files(success)}"))
        if history.logs.of_job(last.job_id):
            because.append(_reason(f"`caur-ci logs {identity}` shows its last log"))
        yield _reason(f"the queue has forgotten {identity}; {_ending(last)}", *because)


def _ending(job: PastJob) -> str:
    if job.job_id < 0:  # all that is known of it is what it brought
        return "of its jobs only what they published is known"
    words = job.outcome.name.lower().replace("_", " ")
    words += f" ({job.failure})" if job.failure else ""
    reason = f", {first_line(job.reason)}" if job.reason else ""
    return f"its last job, {job.job_id}, ended {_when(job)}: {words}{reason}"


def _when(job: PastJob) -> str:
    return timestamp(job.finished)


def _files(job: PastJob) -> str:
    return ", ".join(f"{file.name} {file.version}" for file in job.files)


def _reason(text: str, *because: Reason) -> Reason:
    return Reason(source="history", text=text, because=tuple(because))
