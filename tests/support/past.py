"""Jobs that have ended, for tests that need a past."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scheduler.history import PastJob
from scheduler.job import Outcome

if TYPE_CHECKING:
    from scheduler.history import PublishedFile

START = 1_790_000_000.0


def past_job(job_id: int, pkgbase: str = "a", **changes: Any) -> PastJob:  # noqa: ANN401
    """Return a job that took 60 seconds to build, one minute after the job before it."""
    submitted = START + 60 * job_id
    files: tuple[PublishedFile, ...] = changes.pop("files", ())
    values: dict[str, Any] = {
        "target_repo": "repo",
        "arch": "x86_64",
        "source_repo": "source",
        "commit": f"{job_id:040x}",
        "build_class": "1",
        "outcome": Outcome.SUCCESS,
        "worker": "worker-1",
        "attempt": 1,
        "submitted": submitted,
        "started": submitted + 1,
        "landed": submitted + 61,
        "finished": submitted + 65,
        **changes,
    }
    return PastJob(job_id=job_id, pkgbase=pkgbase, files=files, **values)
