"""What each publishing target can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from caur_ci.errors import InputError, TemporaryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    # Raises what ends an upload before its time.
    Check = Callable[[], None]


class TargetError(InputError):
    """A publishing target does not take or give what it should, and will not a moment later."""


class BusyTargetError(TemporaryError):
    """Somebody else is changing what is at a publishing target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploader:
    """Who uploads. `id` is that of one process at a time, `who` is for people."""

    id: str
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that goes to a target. `path` is relative to REPO_PATH, with slashes: R/A/NAME."""

    path: str
    source: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What becomes of a target.

    The files of a stage are all there before the first of the next stage comes: packages with
    their signatures, then databases. What is removed goes last. A target that can do all of it in
    one step does so.
    """

    stages: tuple[tuple[Upload, ...], ...] = ()
    removals: tuple[str, ...] = ()


def nothing_to_check() -> None:
    """Let an upload go on in any case."""


class PublishingTarget(Protocol):
    """A place that readers fetch a repository from.

    Each method raises TemporaryError where trying again may help, else a CaurError that names the
    target and what to do. What it raises, logs or shows has no secret in it.
    """

    @property
    def address(self) -> str:
        """What people are told it is."""
        ...

    @property
    def server(self) -> str:
        """The `Server =` of pacman.conf, with $repo and $arch in it; empty if it is not known."""
        ...

    def listing(self, repository: str) -> Mapping[str, int]:
        """Return the sizes of what is there of a repository, by the path relative to REPO_PATH."""
        ...

    def fetch(self, paths: Iterable[str], root: Path) -> None:
        """Bring files to `root`/PATH. A file is there whole, or not at all."""
        ...

    def admit(self, change: Change) -> None:
        """Raise TargetError for files that cannot be stored, by their names or sizes."""
        ...

    def held(self, repository: str, uploader: Uploader) -> AbstractContextManager[Check]:
        """Keep other uploads of the repository away until the block ends.

        Provides what raises BusyTargetError once that is lost; so does entering it where somebody
        else has it and may have it for long.
        """
        ...

    def apply(self, change: Change, check: Check = nothing_to_check) -> None:
        """Bring about `change`. Repeating it is harmless, also after being killed half-way.

        `check` is asked before each step.
        """
        ...
