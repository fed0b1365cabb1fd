"""Failures explained, each once: it takes a while with long logs."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from caur_ci.errors import TemporaryError
from scheduler.diagnosis import FolderCommit, explain
from scheduler.history import PastJob
from scheduler.web.pages.words import FAILURES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler.diagnosis import Explanation
    from scheduler.job import Outcome
    from scheduler.web.facts import RepositoryFacts
    from scheduler.web.pages.jobs import ShownJob
    from scheduler.web.services import WebServices

_KEPT = 128
# An explanation takes a processor for a while: other pages must not wait for it.
_AT_ONCE = 2
_PATIENCE = 10.0


class Explained:
    """The explanations of builds that were looked at lately."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._working = threading.BoundedSemaphore(_AT_ONCE)
        self._kept: OrderedDict[int, Explanation | None] = OrderedDict()

    def of(self, services: WebServices, job: ShownJob) -> Explanation | None:
        """Return why a job failed, None for one that did not.

        Raises TemporaryError where a log is out of reach, or others are explained for too long.
        """
        if job.outcome is None or job.outcome not in FAILURES:
            return None
        with self._lock:
            if job.job_id in self._kept:
                return self._kept[job.job_id]
        if not self._working.acquire(timeout=_PATIENCE):
            raise TemporaryError("other failures are being explained")
        try:
            found = _explained(services, job, job.past or _past(job, job.outcome))
        finally:
            self._working.release()
        with self._lock:
            self._kept[job.job_id] = found
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found


def _explained(services: WebServices, job: ShownJob, past: PastJob) -> Explanation | None:
    facts = services.facts
    return explain(
        past,
        logs=services.logs,
        history=services.history,
        commits=_Commits(facts, job.identity) if facts is not None else None,
    )


class _Commits:
    """What the source repository tells of the commits to a package's folder."""

    def __init__(self, facts: RepositoryFacts, identity: str) -> None:
        self._facts = facts
        self._target_repo = identity.partition("/")[0]

    def __call__(self, pkgbase: str, old: str, new: str) -> Sequence[FolderCommit] | None:
        """Return the commits after `old` up to `new`, None where not all of them are known."""
        facts = self._facts.package(pkgbase, self._target_repo)
        if facts is None:
            return None
        ids = [it.commit for it in facts.commits]
        if old not in ids or new not in ids or ids.index(new) > ids.index(old):
            return None
        between = facts.commits[ids.index(new) : ids.index(old)]
        return [FolderCommit(it.commit, it.subject) for it in between]


def _past(job: ShownJob, outcome: Outcome) -> PastJob:
    """Return a failed job that only the queue knows as the history would have it."""
    target_repo, arch, pkgbase = job.identity.split("/")
    return PastJob(
        job_id=job.job_id,
        target_repo=target_repo,
        arch=arch,
        pkgbase=pkgbase,
        source_repo=job.source_repo,
        commit=job.commit,
        build_class=job.build_class,
        outcome=outcome,
        failure=job.failure,
        reason=job.reason,
        worker=job.worker,
        attempt=job.attempt,
        submitted=job.submitted,
        started=job.started,
        landed=job.landed,
        finished=job.finished,
    )
