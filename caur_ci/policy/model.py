"""The policy of a repository as a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caur_ci.judge.model import Severity

DAY = 24 * 3600


class Action(StrEnum):
    """What a finding leads to, the mildest first. The strictest of a change's findings counts."""

    APPLY = "apply"  # taken over without anybody looking
    REVIEW = "review"  # people decide; held where they cannot be asked
    HOLD = "hold"  # not taken over, and nobody is asked
    ALARM = "alarm"  # as review, and the run says so loudly


RANK = {action: rank for rank, action in enumerate(Action)}


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagePolicy:
    """What holds for one package in addition. `cool_down` is in seconds, None as for all."""

    trusted: frozenset[str] = frozenset()
    hosts: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    codes: Mapping[str, Action] = field(default_factory=dict)
    cool_down: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicators:
    """Signs of known attacks, in lower case: hosts, accounts, and sums or commits in hex."""

    hosts: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    hashes: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.hosts or self.accounts or self.hashes)


_NOTHING = PackagePolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Whom and what a repository trusts. The defaults are those of a repository without a file.

    `trusted` are accounts at the AUR, compared exactly. `package_age`, `adoption_age` and
    `cool_down` are in seconds; one account alarms that takes over `many_adoptions` packages
    `adoptions_within` seconds. `severities` and `codes` say what findings lead to.
    """

    trusted: frozenset[str] = frozenset()
    package_age: int = 0
    adoption_age: int = 30 * DAY
    cool_down: int = 0
    many_adoptions: int = 10
    adoptions_within: int = 7 * DAY
    hosts: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    indicators: Indicators = field(default_factory=Indicators)
    severities: Mapping[Severity, Action] = field(default_factory=dict)
    codes: Mapping[str, Action] = field(default_factory=dict)
    packages: Mapping[str, PackagePolicy] = field(default_factory=dict)

    def of(self, package: str) -> PackagePolicy:
        """Return what holds for one package in addition."""
        return self.packages.get(package, _NOTHING)

    def trusted_for(self, package: str) -> frozenset[str]:
        """Return the accounts that are trusted with a package."""
        return self.trusted | self.of(package).trusted

    def cool_down_of(self, package: str) -> int:
        """Return how old a version has to be before it is taken over, in seconds."""
        own = self.of(package).cool_down
        return self.cool_down if own is None else own
