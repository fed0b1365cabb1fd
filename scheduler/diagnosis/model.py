"""What is known of a failure, in the form in which it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler.history import PastJob
    from scheduler.job import FailureClass
    from scheduler.logs import LogChunk


class LogReader(Protocol):
    """Where the logs of attempts are read."""

    def read(self, job_id: int, attempt: int, offset: int = 0, *, limit: int = ...) -> LogChunk:
        """Return what was written from the byte `offset` on, at most `limit` bytes."""
        ...


class GoodBuilds(Protocol):
    """Where the earlier builds of a package are known."""

    def last_success(self, identity: str, *, before: int | None = None) -> PastJob | None:
        """Return the last job of `identity` that ended well, and was there before job `before`."""
        ...


class FolderCommits(Protocol):
    """Who can tell what happened to a package's folder, such as a clone of its repository."""

    def __call__(self, pkgbase: str, old: str, new: str) -> Sequence[FolderCommit] | None:
        """Return the commits to the folder after `old` up to `new`, newest first; None: unknown."""
        ...


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a log: its number from 1 on, the byte that it begins at, and harmless text.

    Colours and what was written over are left out, long lines are cut.
    """

    number: int
    offset: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstError:
    """The line that tells why a build failed, and what stands around it.

    `tool` names whose message it is. It is not `certain` where no message was known, so that it
    is only the last line before the build gave up.
    """

    line: LogLine
    tool: str = ""
    failure: FailureClass | None = None
    certain: bool = True
    before: tuple[LogLine, ...] = ()
    after: tuple[LogLine, ...] = ()


@dataclass(frozen=True, slots=True)
class FolderCommit:
    """A commit that changed a package's folder."""

    commit: str
    subject: str


@dataclass(frozen=True, slots=True)
class VersionChange:
    """A package of the build's system: its version then and now, empty where it was not there."""

    name: str
    before: str
    now: str


@dataclass(frozen=True, slots=True)
class Contrast:
    """Something that is another now than it was at the last good build."""

    what: str
    before: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """What is different from the last good build, which was `job_id`.

    `same_folder` tells whether the package's folder is the same, None where that is unknown, as
    are the `commits` then. `installed` begins with those that the error itself names.
    """

    job_id: int
    commit: str
    finished: float
    same_folder: bool | None = None
    commits: tuple[FolderCommit, ...] | None = None
    installed: tuple[VersionChange, ...] = ()
    contrasts: tuple[Contrast, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parting:
    """Where a log parts from that of the last good build, `attempt` of `job_id`.

    `step` is the last step that was begun, `missing` the first that was not. `line` is the first
    that the good log has nothing like; None where there is none, or the logs are too long to tell.
    """

    job_id: int
    attempt: int
    step: str
    missing: str
    line: LogLine | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a job failed.

    `failure` is the worker's word, or what the log tells where that is missing; None for builds
    that took too long. `command` builds the same here; `hint` says what usually helps.
    """

    job_id: int
    attempt: int
    identity: str
    failure: FailureClass | None
    reason: str
    step: str
    error: FirstError | None
    differences: Differences | None
    parting: Parting | None
    command: str
    hint: str
