"""The packages of a sync database, one after the other."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.names import is_package_name
from caur_ci.syncdb.compression import unpacked
from caur_ci.syncdb.errors import SyncDatabaseError
from caur_ci.syncdb.tar import TarStream

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

_MEBIBYTE = 1024**2
_DESC, _FILES = "desc", "files"
# What names a package's folder: its name, pkgver and pkgrel. The other two have no dash in them.
_FOLDER = re.compile(rb"(?:\./)?(?P<name>[^/]+)-(?P<version>[^/-]+-[^/-]+)/(?P<file>desc|files)")
_VERSION = re.compile(r"[!-.0-~]{1,255}")
_WANTED = frozenset(
    {
        "%ARCH%",
        "%BASE%",
        "%CONFLICTS%",
        "%DEPENDS%",
        "%FILENAME%",
        "%NAME%",
        "%PROVIDES%",
        "%REPLACES%",
        "%VERSION%",
    }
)
_FILES_HEADING = b"%FILES%\n"
# A description or a signature may be long; this is far beyond any.
_MAX_LINE = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseLimits:
    """How large a database may be, and what is in it, without compression.

    `unpacked`, `desc` and `file_list` are bytes, the latter two of one package; `entries` counts
    files and folders.
    """

    unpacked: int = 4096 * _MEBIBYTE
    entries: int = 1_000_000
    desc: int = _MEBIBYTE
    file_list: int = 64 * _MEBIBYTE


DEFAULT_LIMITS = DatabaseLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncPackage:
    """A package as its `desc` has it. Its name is one that pacman allows, all else is as it came.

    `base` is the pkgbase, the name where none is told. Relations are as they are written there.
    """

    name: str
    version: str
    base: str
    arch: str = ""
    filename: str = ""
    depends: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileList:
    """The files of a package. `lines` are their paths below the root, folders end with a slash.

    Databases have millions of them: search the lines where only a few are wanted.
    """

    name: str
    version: str
    lines: bytes

    @property
    def files(self) -> tuple[str, ...]:
        """All paths; bytes that are not UTF-8 are as in the file system's own names."""
        text = self.lines.decode("utf-8", "surrogateescape")
        return tuple(line for line in text.split("\n") if line)


def read_packages(
    source: Path | bytes, *, limits: DatabaseLimits = DEFAULT_LIMITS
) -> Iterator[SyncPackage]:
    """Yield the packages of a `.db` or `.files` database, a file or what one holds.

    A database that is not whole may be found out only at its end: until then nothing of it is sure.
    Raises SyncDatabaseError, ProcessError where a program to take off the compression is missing,
    and OSError where the file cannot be read.
    """
    for entry in _read(source, limits, {_DESC}):
        assert isinstance(entry, SyncPackage)  # noqa: S101 - nothing else was asked for
        yield entry


def read_file_lists(
    source: Path | bytes, *, limits: DatabaseLimits = DEFAULT_LIMITS
) -> Iterator[FileList]:
    """Yield the file lists of a `.files` database; none for a `.db`. Raises as `read_packages`."""
    for entry in _read(source, limits, {_FILES}):
        assert isinstance(entry, FileList)  # noqa: S101 - nothing else was asked for
        yield entry


def read_entries(
    source: Path | bytes, *, limits: DatabaseLimits = DEFAULT_LIMITS
) -> Iterator[SyncPackage | FileList]:
    """Yield both in one go, in the order of the database. Raises as `read_packages`."""
    return _read(source, limits, {_DESC, _FILES})


def _read(
    source: Path | bytes, limits: DatabaseLimits, wanted: Collection[str]
) -> Iterator[SyncPackage | FileList]:
    known: set[tuple[str, str]] = set()
    with unpacked(source) as stream:
        archive = TarStream(stream, unpacked=limits.unpacked, entries=limits.entries)
        for entry in archive:
            match = _FOLDER.fullmatch(entry.name)
            if match is None or (kind := match["file"].decode()) not in wanted:
                continue
            name, version = _checked(match["name"], match["version"])
            if (name, kind) in known:
                raise SyncDatabaseError(f"it lists {name} twice")
            known.add((name, kind))
            if kind == _FILES:
                lines = archive.content(entry, limits.file_list)
                yield FileList(name, version, lines.removeprefix(_FILES_HEADING))
            else:
                yield _package(archive.content(entry, limits.desc), name, version)


def _checked(name: bytes, version: bytes) -> tuple[str, str]:
    text, number = name.decode("ascii", "replace"), version.decode("ascii", "replace")
    if not is_package_name(text) or _VERSION.fullmatch(number) is None:
        raise SyncDatabaseError(f"it lists {name[:80]!a} in version {version[:80]!a}")
    return text, number


def _package(content: bytes, name: str, version: str) -> SyncPackage:
    fields = _fields(content.decode("utf-8", "replace"), name)
    first = {heading: values[0] for heading, values in fields.items() if values}
    if (first.get("%NAME%"), first.get("%VERSION%")) != (name, version):
        raise SyncDatabaseError(f"the folder of {name} {version} holds another package")
    base = first.get("%BASE%") or name
    if not is_package_name(base):
        raise SyncDatabaseError(f"it lists {name} with the pkgbase {base[:80]!a}")
    return SyncPackage(
        name=name,
        version=version,
        base=base,
        arch=first.get("%ARCH%", ""),
        filename=first.get("%FILENAME%", ""),
        depends=tuple(fields.get("%DEPENDS%", ())),
        provides=tuple(fields.get("%PROVIDES%", ())),
        conflicts=tuple(fields.get("%CONFLICTS%", ())),
        replaces=tuple(fields.get("%REPLACES%", ())),
    )


def _fields(text: str, name: str) -> Mapping[str, Sequence[str]]:
    """Return the fields that matter of a `desc`, each a heading and lines up to an empty one."""
    fields: dict[str, Sequence[str]] = {}
    for part in text.split("\n\n"):
        heading, *values = part.strip("\n").split("\n")
        if heading not in _WANTED:
            continue
        if heading in fields:
            raise SyncDatabaseError(f"it has {heading} of {name} twice")
        if any(len(value) > _MAX_LINE for value in values):
            raise SyncDatabaseError(f"it has a line of more than {_MAX_LINE} characters for {name}")
        fields[heading] = values
    return fields
