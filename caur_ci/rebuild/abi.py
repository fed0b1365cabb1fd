"""What the libraries of a package export, and who misses some of it in the next version."""

from __future__ import annotations

import base64
import hashlib
import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from caur_ci.elf import MAGIC, NamesOutOfReachError, read_elf
from caur_ci.linkage.imports import TYPE, VTABLE
from caur_ci.syncdb.compression import unpacked
from caur_ci.syncdb.tar import TarStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from caur_ci.linkage import FileImports, PackageImports

# Of one package file, without compression; of one library in it; and what is in it.
_LARGEST, _LARGEST_FILE, _MOST_ENTRIES = 16 * 1024**3, 512 * 1024**2, 2_000_000
_MOST_FOLDERS = 2000
_DIGEST = 6
_DEBUG = b"usr/lib/debug/"
# Plugins are in a folder of what loads them, as in usr/lib/hyprland, not in usr/lib itself.
_LEAST_PARTS = 3
_SHOWN = 3
# What is missed is told in commit messages, where other words could be commands.
_NAME = re.compile(r"[A-Za-z0-9_.$@+-]{1,4096}")


class MissingNames(NamedTuple):
    """The names that a file of a package takes and that are gone, or are not what they were."""

    path: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryAbi:
    """What one version of a package exports.

    `names` are digests of the exported names, `vtables` the sizes of vtables by name in bytes.
    `folders` are those where plugins may be, `sonames` those of the libraries.
    """

    version: str
    names: frozenset[bytes] = frozenset()
    vtables: Mapping[str, int] = field(default_factory=dict)
    sonames: frozenset[str] = frozenset()
    folders: frozenset[str] = frozenset()

    def missed_by(self, after: LibraryAbi, package: PackageImports) -> list[MissingNames]:
        """Return what a package takes from this version that the version `after` does not give."""
        found = []
        for file in package.files:
            if self._concerns(file):
                names = tuple(name for name in file.names if self._is_missed(name, after))
                if names:
                    found.append(MissingNames(file.path, names))
        return found

    def _concerns(self, file: FileImports) -> bool:
        return not self.sonames.isdisjoint(file.needs) or any(
            folder in self.folders for folder in _folders_of(file.path)
        )

    def _is_missed(self, name: str, after: LibraryAbi) -> bool:
        if _NAME.fullmatch(name) is None:
            return False
        if name.startswith((VTABLE, TYPE)):
            vtable = VTABLE + name[len(VTABLE) :]
            if vtable in self.vtables and self.vtables[vtable] != after.vtables.get(vtable):
                return True
        digest = _digest(name)
        return digest in self.names and digest not in after.names

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {
            "version": self.version,
            "names": base64.b64encode(b"".join(sorted(self.names))).decode(),
            "vtables": dict(sorted(self.vtables.items())),
            "sonames": sorted(self.sonames),
            "folders": sorted(self.folders),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` returned. Raises ValueError, KeyError and TypeError."""
        digests = base64.b64decode(data["names"], validate=True)
        return cls(
            version=str(data["version"]),
            names=frozenset(
                digests[place : place + _DIGEST] for place in range(0, len(digests), _DIGEST)
            ),
            vtables={str(name): int(size) for name, size in dict(data["vtables"]).items()},
            sonames=frozenset(map(str, data["sonames"])),
            folders=frozenset(map(str, data["folders"])),
        )


def read_abi(package: Path | bytes, version: str) -> LibraryAbi:
    """Return what the libraries and programs in a package file export.

    Raises SyncDatabaseError for what is no package, ProcessError where a program to take off the
    compression is missing, and OSError.
    """
    names: set[bytes] = set()
    vtables: dict[str, int] = {}
    sonames: set[str] = set()
    folders: set[str] = set()
    with unpacked(package) as unpacking:
        archive = TarStream(unpacking, unpacked=_LARGEST, entries=_MOST_ENTRIES)
        for entry in archive:
            path = entry.name.removeprefix(b"./").decode(errors="backslashreplace")
            if len(folders) < _MOST_FOLDERS:
                folders.update(_folders_of(path))
            if entry.name.startswith(_DEBUG) or not len(MAGIC) <= entry.size <= _LARGEST_FILE:
                continue
            for soname, exported in _exports(archive.read, entry.size):
                sonames.update([soname] if soname else ())
                for name, version_of_name, size in exported:
                    names.add(_digest(f"{name}@{version_of_name}" if version_of_name else name))
                    if name.startswith(VTABLE):
                        vtables[name] = size
    return LibraryAbi(
        version=version,
        names=frozenset(names),
        vtables=vtables,
        sonames=frozenset(sonames),
        folders=frozenset(folders),
    )


def told(names: Iterable[str]) -> str:
    """Return some of the names for people."""
    known = list(names)
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return ", ".join(known[:_SHOWN]) + more


def _exports(
    content: Callable[[int], bytes], size: int
) -> Iterator[tuple[str, Iterable[tuple[str, str, int]]]]:
    """Yield soname and exported names of a file, if it is a program or library."""
    head = content(len(MAGIC))
    if head != MAGIC:
        return

    def read(wanted: int) -> bytes:
        nonlocal head
        before, head = head, b""
        return before + content(wanted - len(before))

    try:
        elf = read_elf(read, size, with_symbols=True)
    except NamesOutOfReachError:
        return
    if elf is not None and elf.symbols is not None:
        yield elf.soname, elf.symbols.exported


def _folders_of(path: str) -> Iterator[str]:
    """Yield the folders in which a file is that others share for a reason."""
    parts = posixpath.dirname(path).split("/")
    if parts[:2] not in (["usr", "lib"], ["usr", "lib32"]):
        return
    for end in range(_LEAST_PARTS, len(parts) + 1):
        yield "/".join(parts[:end])


def _digest(name: str) -> bytes:
    return hashlib.blake2b(name.encode("utf-8", "backslashreplace"), digest_size=_DIGEST).digest()
