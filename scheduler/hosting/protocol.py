"""What each publishing target can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from caur_ci.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


class TargetError(InputError):
    """A publishing target does not take or give what it should, and will not a moment later."""


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


def first_of(secrets: Mapping[str, str], *names: str) -> str:
    """Return the first of these secrets that there is, empty where there is none."""
    return next((secrets[name] for name in names if secrets.get(name)), "")


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

    def apply(self, change: Change) -> None:
        """Bring about `change`. Repeating it is harmless, also after being killed half-way.

        Raises TargetError before anything has changed for names that cannot be stored.
        """
        ...
