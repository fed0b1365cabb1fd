"""The one-line form of the dependency tree that the existing manager reads: `.ci/deptree.txt`.

    base:name1,name2:dep1,dep2;base2:…

For each package folder the packages that it produces and the names that it needs, without
versions. A dependency that another package `provides` stands there twice, by its own name and by
the pkgname of that package, because the manager looks up pkgnames only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from caur_ci.names import is_package_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caur_ci.deptree.graph import DependencyTree


# Few names, looked at again and again.
_is_name = lru_cache(maxsize=1 << 15)(is_package_name)


@dataclass(frozen=True, slots=True)
class WireEntry:
    """One package folder: what it produces, and what it needs from elsewhere."""

    package: str
    pkgnames: tuple[str, ...] = ()
    depends: tuple[str, ...] = ()


def entries_of(tree: DependencyTree) -> list[WireEntry]:
    """Return the entries for all packages of `tree`, those that could not be read included."""
    return [
        WireEntry(package, tree.pkgnames(package), _portable(tree, package)) for package in tree
    ]


def _portable(tree: DependencyTree, package: str) -> tuple[str, ...]:
    """Return the needed names that this form can carry.

    A soname with a prefix (`lib:libfoo.so.1`) cannot be; the pkgname of its provider can.
    """
    return tuple(name for name in tree.wanted.get(package, ()) if _is_name(name))


def write_wire(entries: Iterable[WireEntry]) -> str:
    """Return the one line, without a line end.

    Raises InputError where a name is not allowed: it could hold one of the separators.
    """
    return ";".join(
        ":".join((_checked(e.package), _joined(e.pkgnames), _joined(e.depends))) for e in entries
    )


def _joined(names: tuple[str, ...]) -> str:
    return ",".join(map(_checked, names))


def _checked(name: str) -> str:
    if not _is_name(name):
        raise InputError(f"the dependency tree cannot carry the name {name!r}")
    return name


def read_wire(text: str, *, origin: str = "the dependency tree") -> list[WireEntry]:
    """Read the one-line form; `origin` names it in messages.

    Line ends, empty entries, a missing third part and blanks around names are let pass.

    Raises InputError, quoting the entry, where a name is not allowed or the parts do not fit.
    """
    return [_read_entry(entry, origin) for part in text.split(";") if (entry := part.strip())]


def _read_entry(entry: str, origin: str) -> WireEntry:
    parts = entry.split(":")
    if not 2 <= len(parts) <= 3:
        raise InputError(
            f"{origin}: the entry {entry[:80]!r} has {len(parts)} parts",
            hint="An entry reads package:name1,name2:dependency1,dependency2.",
        )
    package, *lists = parts
    pkgnames, depends = (*(_read_names(names) for names in lists), ())[:2]
    for name in (package.strip(), *pkgnames, *depends):
        if not _is_name(name):
            raise InputError(f"{origin}: {name!r} in the entry {entry[:80]!r} is not a name")
    return WireEntry(package.strip(), pkgnames, depends)


def _read_names(text: str) -> tuple[str, ...]:
    return tuple(name for part in text.split(",") if (name := part.strip()))
