"""What is remembered of the upstream repositories that a package is built from."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class VcsSeen:
    """What is known of the upstream repositories of one package.

    `commits` are those that a build was last asked for, or that were there at first sight, by the
    place without credentials. `built` is when such a build was asked for last, in Unix seconds.
    `latest` stands for what was there last and `moves` counts how often that has changed since the
    build, both only where commits are counted; `total` is the length of the history at the build.
    `absent` is how many runs in a row a repository or branch did not exist.
    """

    commits: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    built: int = 0
    latest: str = ""
    moves: int = 0
    total: int = 0
    absent: int = 0


# One for all packages that are built from releases.
NEVER_FOLLOWED = VcsSeen()


@dataclass(frozen=True, slots=True, kw_only=True)
class VcsOutcome:
    """What is to be remembered after a run: `noted`, or `built` where a build was asked for.

    `main` is the place whose commit other programs look for as CI_GIT_COMMIT; empty: none.
    """

    noted: VcsSeen
    built: VcsSeen
    main: str = ""

    def seen(self, *, builds: bool) -> VcsSeen:
        """Return what is to be remembered."""
        return self.built if builds else self.noted

    def commit(self, *, builds: bool) -> str:
        """Return the commit for CI_GIT_COMMIT, empty where none is known."""
        return self.seen(builds=builds).commits.get(self.main, "")
