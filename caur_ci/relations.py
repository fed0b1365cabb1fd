"""Relations between packages: what `depends`, `makedepends`, `provides` and their like hold."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from caur_ci.errors import InputError
from caur_ci.versions import vercmp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# A package name, or a soname: `libfoo.so` and, in the newer form, `lib:libfoo.so.1`.
_RELATION = re.compile(
    r"(?P<name>(?:[A-Za-z0-9_]+:)?[A-Za-z0-9@_+][A-Za-z0-9@._+-]*)"
    r"(?:(?P<operator><=|>=|<|=|>)(?P<version>[^\s<>=]+))?"
)
_SONAME = re.compile(r".+\.so(?:\.[0-9.]+)?")
_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}


@dataclass(frozen=True, slots=True)
class Relation:
    """A name, and where given the versions that are meant: `foo>=1:2.3-1`.

    `operator` and `version` are both empty or both given.
    """

    name: str
    operator: str = ""
    version: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a relation, or raise InputError."""
        match = _RELATION.fullmatch(text)
        if match is None:
            raise InputError(
                f"{text!r} is not a dependency",
                hint="Write a package name or soname, then if needed < <= = >= > and a version.",
            )
        return cls(match["name"], match["operator"] or "", match["version"] or "")

    def __str__(self) -> str:
        return f"{self.name}{self.operator}{self.version}"

    @property
    def is_soname(self) -> bool:
        """Whether a shared library is meant, not a package."""
        return ":" in self.name or _SONAME.fullmatch(self.name) is not None

    def satisfied_by(self, provided: Relation) -> bool:
        """Tell whether a package that provides `provided` meets this dependency.

        Versions that pacman could not compare satisfy only what is written the same.
        """
        if self.name != provided.name:
            return False
        if not self.operator:
            return True
        if not provided.version:
            # makepkg adds the version of a soname when it has built the library, so a .SRCINFO
            # without one says nothing against it.
            return self.is_soname
        try:
            order = vercmp(provided.version, self.version)
        except InputError:
            return provided.version == self.version
        return _COMPARISONS[self.operator](order, 0)


def readable(texts: Iterable[str]) -> Iterator[Relation]:
    """Yield the relations that can be read. pacman takes all others for names that nobody has."""
    for text in texts:
        try:
            yield Relation.parse(text)
        except InputError:
            continue
