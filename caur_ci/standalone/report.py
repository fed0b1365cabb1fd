"""What came of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scheduler.diagnosis import to_data
from scheduler.job import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.diagnosis import Explanation
    from scheduler.job import FailureClass

_FAILED = frozenset({Outcome.FAILED, Outcome.TIMED_OUT, Outcome.SOFTWARE_FAILURE})


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageResult:
    """How the build of a folder for `arch` ended that a request asked for.

    `files` are the package files that it brought, `log` the file with its log, `explanation` why
    it failed; the last three only as far as there are any.
    """

    request_id: str
    package: str
    arch: str
    commit: str
    outcome: Outcome
    reason: str = ""
    failure: FailureClass | None = None
    seconds: float = 0.0
    files: tuple[str, ...] = ()
    log: Path | None = None
    explanation: Explanation | None = None

    @property
    def build(self) -> tuple[str, str]:
        """What was built: architecture and folder."""
        return self.arch, self.package

    @property
    def has_failed(self) -> bool:
        """Whether it is to be told to somebody, and remembered."""
        return self.outcome in _FAILED

    def to_dict(self) -> dict[str, Any]:
        """Return it for a JSON document."""
        return {
            "package": self.package,
            "arch": self.arch,
            "commit": self.commit,
            "outcome": self.outcome.name,
            "reason": self.reason,
            "failure": self.failure.value if self.failure else None,
            "seconds": round(self.seconds, 1),
            "files": list(self.files),
            "log": str(self.log) if self.log else None,
            "explanation": to_data(self.explanation) if self.explanation else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What came of a run.

    `removed` are folders whose packages went, `left` says of others why they were neither built
    nor removed: the next run goes on with them. `published` is where readers find what was brought
    there, empty where nothing was. `server` is the line for pacman.conf, `public_key` the file with
    the key to trust, which was `key_made_here` where nobody gave one.
    """

    packages: tuple[PackageResult, ...] = ()
    removed: tuple[str, ...] = ()
    left: dict[str, str] = field(default_factory=dict)
    out_of_time: bool = False
    published: str = ""
    targets: tuple[str, ...] = ()
    server: str = ""
    public_keys: tuple[Path, ...] = ()
    key_made_here: Path | None = None
    seconds: float = 0.0

    @property
    def failed(self) -> list[PackageResult]:
        """The packages that failed."""
        return [it for it in self.packages if it.has_failed]

    @property
    def is_complete(self) -> bool:
        """Whether all that was asked for was done."""
        return not self.failed and not self.left

    @property
    def pacman_lines(self) -> str:
        """The lines of pacman.conf that make the repositories known; empty without any."""
        sections = (
            f"[{name}]\nSigLevel = Required\nServer = {self.server}\n" for name in self.targets
        )
        return "\n".join(sections) if self.server else ""

    def to_dict(self) -> dict[str, Any]:
        """Return all of it for a JSON document."""
        return {
            "complete": self.is_complete,
            "packages": [it.to_dict() for it in self.packages],
            "removed": list(self.removed),
            "left": self.left,
            "out_of_time": self.out_of_time,
            "published": self.published,
            "server": self.server,
            "public_keys": [str(path) for path in self.public_keys],
            "key_made_here": str(self.key_made_here) if self.key_made_here else None,
            "seconds": round(self.seconds, 1),
        }
