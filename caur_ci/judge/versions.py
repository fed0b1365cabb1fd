"""The step from one version to the next, and what else may follow it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from caur_ci.judge.version_step import doubt_about_pkgver
from caur_ci.versions import vercmp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# What a version may be made of without acting on a path, a URL or a shell.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~-]{0,80}")
_ID = re.compile(r"[0-9a-f]{7,64}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Names that say of a variable that it holds a version, or the id of one.
_VERSION_NAME = re.compile(
    r"ver|commit|tag|rev|date|build|rel|hash|sha|patch|major|minor|micro|snapshot|num|rc|id$|"
    r"serial|sum|phase|stamp|point|time|suffix|beta|alpha|stage|hotfix|sub|head|ref",
    re.IGNORECASE,
)
_POSITIONS = re.compile(r"[._+~-]")


@dataclass(frozen=True, slots=True)
class Version:
    """The version that a PKGBUILD has of itself; parts are empty where they are not plain."""

    pkgver: str
    pkgrel: str
    epoch: str = ""

    def __str__(self) -> str:
        epoch = f"{self.epoch}:" if self.epoch else ""
        return f"{epoch}{self.pkgver}-{self.pkgrel}"

    def compare(self, other: Version) -> int:
        """Return a number above 0 where this version is higher, below 0 where it is lower.

        0 also where one of them is none.
        """
        try:
            return vercmp(str(self), str(other))
        except InputError:
            return 0

    @property
    def is_complete(self) -> bool:
        """Whether it has what a version needs."""
        return bool(self.pkgver and self.pkgrel)


def is_version_like(name: str, old: str, new: str) -> bool:
    """Tell whether a variable of this name may go from `old` to `new` with a new version."""
    if not _VERSION_NAME.search(name) or not (_PLAIN.fullmatch(old) and _PLAIN.fullmatch(new)):
        return False
    if ".." in new:
        return False
    if is_id(old) or is_id(new):
        return is_id(old) and is_id(new) and len(old) == len(new)
    # Tags have hyphens where versions must not.
    return not doubt_about_pkgver(old.replace("-", "."), new.replace("-", "."))


def is_id(text: str) -> bool:
    """Tell whether a text is the id of a commit, or of another object of that kind."""
    return _UUID.fullmatch(text) is not None or (
        _ID.fullmatch(text) is not None
        and not text.isdecimal()
        and any(char.isdecimal() for char in text)
    )


class Forms:
    """The forms in which a version occurs elsewhere: whole, in parts, with other separators.

    `old` and `new` put marks in their places: two texts that differ by the version only become the
    same.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._pairs = [pair for pair in dict.fromkeys(pairs) if all(pair) and pair[0] != pair[1]]

    @classmethod
    def of(cls, old: Version, new: Version, values: Mapping[str, tuple[str, str]]) -> Forms:
        """Return the forms of a version, and of the `values` that changed with it."""
        pairs = list(zip(_forms(old), _forms(new), strict=True))
        for before, after in [(old.pkgver, new.pkgver), *values.values()]:
            pairs.append((before, after))
            pairs += _parts(before, after)
            pairs += zip(_rewritten(before), _rewritten(after), strict=True)
        return cls(pairs)

    def old(self, text: str) -> str:
        """Return an old text with marks in place of its versions."""
        return self._marked(text, self._old)

    def new(self, text: str) -> str:
        """Return a new text with marks in place of its versions."""
        return self._marked(text, self._new)

    def same(self, old: str, new: str) -> bool:
        """Tell whether two texts differ by the version only."""
        return old == new or self.old(old) == self.new(new)

    @cached_property
    def _old(self) -> tuple[re.Pattern[str], dict[str, int]] | None:
        return _compiled({old: number for number, (old, _) in reversed([*enumerate(self._pairs)])})

    @cached_property
    def _new(self) -> tuple[re.Pattern[str], dict[str, int]] | None:
        # Of several pairs with the same old form, the first counts on both sides.
        first = {}
        for number, (old, new) in enumerate(self._pairs):
            if old not in first:
                first[old] = number, new
        return _compiled({new: number for number, new in reversed([*first.values()])})

    @staticmethod
    def _marked(text: str, forms: tuple[re.Pattern[str], dict[str, int]] | None) -> str:
        if forms is None:
            return text
        pattern, numbers = forms
        return pattern.sub(lambda found: f"\0{numbers[found[0]]}\0", text)


def _compiled(numbers: dict[str, int]) -> tuple[re.Pattern[str], dict[str, int]] | None:
    if not numbers:
        return None
    longest_first = sorted(numbers, key=len, reverse=True)
    pattern = "|".join(
        rf"{'(?<![0-9])' if form[0].isdecimal() else ''}{re.escape(form)}"
        rf"{'(?![0-9])' if form[-1].isdecimal() else ''}"
        for form in longest_first
    )
    return re.compile(pattern), numbers


def _forms(version: Version) -> Sequence[str]:
    epoch = f"{version.epoch}:" if version.epoch else ""
    with_release = f"{version.pkgver}-{version.pkgrel}"
    return str(version), with_release, f"{epoch}{version.pkgver}" if epoch else ""


def _rewritten(text: str) -> Sequence[str]:
    """Return a version with other separators, as PKGBUILDs make them for file names."""
    return [
        *(text.replace(".", other) for other in ("_", "-", "")),
        *(text.replace("_", other) for other in ("-", ".", "+", "")),
    ]


def _parts(old: str, new: str) -> list[tuple[str, str]]:
    """Return the beginnings of two versions, up to the same separator, the longest first."""
    ends = zip(_ends(old), _ends(new), strict=False)
    pairs = [(old[:before], new[:after]) for before, after in ends]
    return [pair for pair in reversed(pairs) if any(map(str.isdecimal, pair[0]))]


def _ends(text: str) -> list[int]:
    return [found.start() for found in _POSITIONS.finditer(text)]
