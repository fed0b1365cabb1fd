"""Package versions, and pacman's order of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from caur_ci.errors import InputError

# What makepkg allows in each part; the pkgver is ASCII without the characters that separate parts.
_VERSION = re.compile(
    r"(?:(?P<epoch>[0-9]+):)?(?P<pkgver>[!-,.0-9;?-~]+)(?:-(?P<pkgrel>[0-9]+(?:\.[0-9]+)?))?"
)
_DIGITS = re.compile(r"[0-9]+")
# A package's file is named by its version, and no file's name is longer.
_MAX_LENGTH = 255
# More digits than this do not fit the integers of the library that compares.
_SAFE_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Version:
    """`[epoch:]pkgver[-pkgrel]`; without a pkgrel it stands for every release of the pkgver.

    Equality is that of the parts: `1.0` and `1.00` are different, though neither is newer.
    """

    epoch: int
    pkgver: str
    pkgrel: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a version, or raise InputError."""
        if len(text) > _MAX_LENGTH:
            raise InputError(f"a version of {len(text)} characters; {_MAX_LENGTH} are possible")
        match = _VERSION.fullmatch(text)
        if match is None:
            raise InputError(
                f"{text!r} is not a version",
                hint="A version reads [epoch:]pkgver[-pkgrel], for instance 1:2.3-4.",
            )
        return cls(int(match["epoch"] or 0), match["pkgver"], match["pkgrel"] or "")

    def __str__(self) -> str:
        epoch = f"{self.epoch}:" if self.epoch else ""
        pkgrel = f"-{self.pkgrel}" if self.pkgrel else ""
        return f"{epoch}{self.pkgver}{pkgrel}"

    def compare(self, other: Version) -> int:
        """Return -1, 0 or 1 as this version is older than, as new as, or newer than `other`.

        The pkgrel counts only where both have one, so that `foo>=1.2` takes any release of 1.2.
        """
        if self.epoch != other.epoch:
            return -1 if self.epoch < other.epoch else 1
        order = _compare_pkgver(self.pkgver, other.pkgver)
        if order == 0 and self.pkgrel and other.pkgrel:
            order = _compare_pkgver(self.pkgrel, other.pkgrel)
        return order


def vercmp(first: str, second: str) -> int:
    """Compare two versions as pacman's vercmp does: -1, 0 or 1.

    Raises InputError when one of them is no version.
    """
    return 0 if first == second else Version.parse(first).compare(Version.parse(second))


def _compare_pkgver(first: str, second: str) -> int:
    """Compare two pkgver or pkgrel.

    python-alpm's comparison of whole versions is not used: it tells epoch 0 from no epoch, and a
    version with a pkgrel from one without, which pacman does not.
    """
    if first == second:
        return 0
    from alpm.alpm_types import PackageVersion  # noqa: PLC0415 - most runs compare nothing

    first, second = _with_small_numbers(first, second)
    left, right = PackageVersion(first), PackageVersion(second)
    if left == right:
        return 0
    return -1 if left < right else 1


def _with_small_numbers(first: str, second: str) -> tuple[str, str]:
    """Replace the numbers in both strings by their ranks if one is too long to be compared.

    Ranks keep the order, and only the order of the numbers matters.
    """
    numbers = _DIGITS.findall(first) + _DIGITS.findall(second)
    if all(len(number) <= _SAFE_DIGITS for number in numbers):
        return first, second
    ranks = {
        value: str(rank)
        for rank, value in enumerate(
            sorted({n.lstrip("0") for n in numbers}, key=lambda n: (len(n), n))
        )
    }

    def rank(match: re.Match[str]) -> str:
        return ranks[match[0].lstrip("0")]

    return _DIGITS.sub(rank, first), _DIGITS.sub(rank, second)
