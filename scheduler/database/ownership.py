"""Which folder a package name belongs to.

Anybody who is followed elsewhere can write any name into a PKGBUILD. A name belongs to the folder
that makes it; where several do, to the one whose `.CI/config` says so, else to the one that it is
published from, else to the one that is called like it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.config import PackageConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caur_ci.expectation import Expectation

_SETTING = "CI_ALLOW_NAMES"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """What the source repository says at the commit of a job.

    `makers` are the folders that make each name, `allowed` those of them whose configuration says
    that they may. With `may_go_back`, a version that is older than the published one is wanted.
    """

    folder: str
    source: str
    expectation: Expectation
    makers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    allowed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    may_go_back: bool = False

    def problem_with(self, name: str, *, published_by: str, published_from: str) -> str:
        """Return why the folder must not bring the package `name`, "" if it may.

        `published_by` is the folder that the published one is from, and `published_from` the
        source repository of that; both are empty where nobody knows.
        """
        if published_from not in {"", self.source} and name not in self.expectation.allowed_names:
            return (
                f"{name} is published from the source repository {published_from}; "
                f"{self._remedy(name)}"
            )
        makers = self.makers.get(name, frozenset()) | {self.folder}
        owner = _owner(name, makers, self._allowed(name), published_by)
        if owner == self.folder:
            return ""
        others = " and ".join(sorted(makers - {self.folder}))
        says = f"belongs to the folder {owner}" if owner else f"is made by {others} as well"
        return f"{name} {says}; {self._remedy(name)}"

    def is_left_to_others(self, name: str) -> bool:
        """Tell whether other folders make `name`, and this one does not."""
        return bool(self.makers.get(name, frozenset()) - {self.folder})

    def problem_with_distribution(self, name: str) -> str:
        """Return why a name of the distribution's is not for this folder, "" if it is."""
        if name in self.expectation.allowed_names:
            return ""
        return f"{name} is a package of the distribution; {self._remedy(name)}"

    def _allowed(self, name: str) -> frozenset[str]:
        ours = {self.folder} if name in self.expectation.allowed_names else set()
        return self.allowed.get(name, frozenset()) | ours

    def _remedy(self, name: str) -> str:
        return f"{_SETTING}={name} in {self.folder}/{PackageConfig.FILE} gives it to {self.folder}"


def _owner(name: str, makers: frozenset[str], allowed: frozenset[str], published_by: str) -> str:
    """Return the folder that a name belongs to, "" where nobody has decided that."""
    if len(makers) == 1:
        return next(iter(makers))
    if len(allowed) == 1:
        return next(iter(allowed))
    return next((folder for folder in (published_by, name) if folder in makers), "")
