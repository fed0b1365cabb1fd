"""What the history knows of the past."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scheduler.job import PublishedFile, Usage

if TYPE_CHECKING:
    from scheduler.job import FailureClass, Outcome

__all__ = ["PastJob", "PastLog", "PublishedFile", "Usage"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastJob:
    """One job that has ended.

    Times are Unix times by the clock of the Redis server, 0 for what never happened: `started` is
    when the last attempt began, `landed` when it was built. `tree` is the git tree of the folder
    that was built. `generation` is the number of the published state, of its repository and
    architecture, that has its packages first; empty where nothing was published, or it is unknown.

    A negative `job_id` is of a job that nobody remembers: all that is known of it is what it
    published, and when that was.
    """

    job_id: int
    target_repo: str
    arch: str
    pkgbase: str
    source_repo: str
    commit: str
    build_class: str
    outcome: Outcome
    failure: FailureClass | None = None
    reason: str = ""
    request_id: str = ""
    commit_reference: str = ""
    tree: str = ""
    worker: str = ""
    attempt: int = 0
    submitted: float = 0.0
    started: float = 0.0
    landed: float = 0.0
    finished: float = 0.0
    usage: Usage = field(default_factory=Usage)
    generation: str = ""
    files: tuple[PublishedFile, ...] = ()

    @property
    def identity(self) -> str:
        """`target_repo/arch/pkgbase`."""
        return f"{self.target_repo}/{self.arch}/{self.pkgbase}"

    @property
    def build_seconds(self) -> float | None:
        """How long the last attempt took until it was built or failed; None if it never began."""
        if not self.started:
            return None
        return max(0.0, (self.landed or self.finished) - self.started)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastLog:
    """The log of one attempt at a job; `started` is a Unix time, `size` in bytes.

    `kept` says that it is on disk; otherwise it is in Redis. While it is not `ended` it grows.
    """

    job_id: int
    attempt: int
    started: float
    size: int
    ended: bool
    kept: bool = False
