"""Who owns files: the packages of a database with lists of files, read as a stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.relations import Relation, readable
from caur_ci.syncdb import SyncPackage, read_entries

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from scheduler.database.packages import PackageFile

# What a debugger reads. Packages of the same program have the same paths there, and makepkg takes
# the conflicts that their packages declare out of those with the symbols.
_DEBUG = (b"usr/lib/debug/", b"usr/src/debug/")
_ASCII = 0x80


@dataclass(frozen=True, slots=True)
class Owner:
    """A package with some of its files. `origin` is the database of another repository."""

    package: SyncPackage
    files: frozenset[bytes]
    origin: str = ""

    @property
    def name(self) -> str:
        """The package's name."""
        return self.package.name

    @property
    def says(self) -> tuple[tuple[str, ...], ...]:
        """What it says of its relation to others."""
        return self.package.conflicts, self.package.provides, self.package.replaces

    def excludes(self, other: Owner) -> bool:
        """Tell whether one of both says that they are not to be installed together."""
        return _excludes(self.package, other.package) or _excludes(other.package, self.package)


def owner_of(package: PackageFile) -> Owner:
    """Return a package file as one that owns what it ships, except for debugging symbols."""
    said = {key: tuple(map(str.strip, values)) for key, values in package.info.items()}
    return Owner(
        SyncPackage(
            name=package.pkgname,
            version=package.version,
            base=package.pkgbase,
            arch=package.arch,
            provides=said.get("provides", ()),
            conflicts=said.get("conflict", ()),
            replaces=said.get("replaces", ()),
        ),
        frozenset(
            path for path in package.files.split(b"\n") if path and not path.startswith(_DEBUG)
        ),
    )


def spellings(paths: Iterable[bytes]) -> dict[bytes, bytes]:
    """Return the paths by all the ways in which a database may have them.

    What lists the files of a package writes other characters than those of its locale as numbers.
    """
    found: dict[bytes, bytes] = {}
    for path in paths:
        found[path] = path
        if not path.isascii() or b"\\" in path:
            found[_escaped(path, plain=False)] = path
            found[_escaped(path, plain=True)] = path
    return found


def read_owners(database: Path, paths: Iterable[bytes]) -> dict[str, Owner]:
    """Return the packages of a `.files` database that have some of the paths, by name, with those.

    Raises SyncDatabaseError, ProcessError and OSError.
    """
    known = spellings(paths)
    wanted = frozenset(known)
    packages: dict[str, SyncPackage] = {}
    found: dict[str, frozenset[bytes]] = {}
    for entry in read_entries(database):
        if isinstance(entry, SyncPackage):
            packages[entry.name] = entry
        elif hits := wanted.intersection(entry.lines.split(b"\n")):
            found[entry.name] = frozenset(known[hit] for hit in hits)
    return {name: Owner(packages[name], files) for name, files in found.items() if name in packages}


def _escaped(path: bytes, *, plain: bool) -> bytes:
    """Return a path as bsdtar lists it, with all but ASCII as numbers where that is `plain`."""
    path = path.replace(b"\\", b"\\\\")
    if not plain:
        return path
    return b"".join(b"%c" % each if each < _ASCII else b"\\%03o" % each for each in path)


def _excludes(one: SyncPackage, other: SyncPackage) -> bool:
    itself = Relation(other.name, "=", other.version)
    offered = [itself, *readable(other.provides)]
    return any(
        relation.satisfied_by(each) for relation in readable(one.conflicts) for each in offered
    ) or any(relation.satisfied_by(itself) for relation in readable(one.replaces))
