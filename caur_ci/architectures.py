"""For which architectures a package is built, and in which databases it is published.

A *flavour* is an architecture that is built for more of a machine than its base: `x86_64_v3` is
`x86_64` with the instructions of x86-64-v3. Its name begins with that of its base.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

ANY = "any"
DEFAULT_ARCHITECTURE = "x86_64"

# No other architecture has an underscore in its own name.
_BASE = re.compile(r"x86_64|[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class BuildTarget:
    """An architecture that a package is built for.

    `shared_with` are other architectures of the repository that have no build of their own: what
    is built is published in their databases as well, and their packages wait for it.
    """

    arch: str
    shared_with: tuple[str, ...] = ()

    def reaches(self, arch: str) -> bool:
        """Tell whether what is built is published for `arch`."""
        return arch == self.arch or arch in self.shared_with


def base_of(arch: str) -> str:
    """Return the architecture that `arch` is a flavour of, `arch` itself where it is none."""
    match = _BASE.match(arch)
    return match[0] if match and arch[match.end() :].startswith("_") else arch


def is_flavour(arch: str) -> bool:
    """Tell whether `arch` is a flavour of another architecture."""
    return base_of(arch) != arch


def accepted_by(arch: str) -> tuple[str, ...]:
    """Return the architectures whose packages pacman is to accept where `arch` is installed."""
    return tuple(dict.fromkeys((arch, base_of(arch))))


def build_targets(
    declared: Collection[str], architectures: Sequence[str], only: Collection[str] = ()
) -> tuple[BuildTarget, ...]:
    """Return what a package is built for whose PKGBUILD has the `arch` of `declared`.

    `architectures` are those of the repository. A flavour is built where its base is declared.
    With `only`, the package has no builds for others. One for any architecture is built once, for
    the first that is no flavour, and goes to all. Without `declared`, which nobody could read, it
    is built for all. Nothing is returned where no architecture fits.
    """
    if ANY in declared:
        first = next((arch for arch in architectures if not is_flavour(arch)), architectures[0])
        return (BuildTarget(first, tuple(arch for arch in architectures if arch != first)),)
    built = [
        arch
        for arch in architectures
        if (not declared or any(name in declared for name in accepted_by(arch)))
        and (not only or arch in only)
    ]
    return tuple(
        BuildTarget(
            arch,
            tuple(
                other
                for other in architectures
                if other not in built and other != arch and base_of(other) == arch
            ),
        )
        for arch in built
    )
