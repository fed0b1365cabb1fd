"""Package files: what they say they are.

Workers are not trusted here. `.PKGINFO` is read strictly: repo-add makes shell variables of its
lines, so a line that no makepkg writes could become a command of the user that holds the key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from caur_ci.names import is_package_name
from scheduler.result.allowance import Allowance
from scheduler.result.errors import BadPackageError
from scheduler.result.filelist import FileListVisitor
from scheduler.result.linkage import LinkageVisitor
from scheduler.result.reading import read_pkginfo

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from caur_ci.linkage import PackageImports, PackageLinkage
    from scheduler.result.tar import Member, TarReader

_FILE_NAME = re.compile(r"[^/\0\n]+\.pkg\.tar(?:\.(?:zst|xz|gz|bz2|lz4))?")
_SUFFIX = re.compile(r"\.pkg\.tar(\.[a-z0-9]+)?$")
# Stricter than makepkg: what follows becomes a file name and a URL.
_VERSION = re.compile(r"(?:[0-9]{1,9}:)?[A-Za-z0-9._+~^@,]+-[0-9]+(?:\.[0-9]+)?")
_LINE = re.compile(rb"([a-z]+) = ([^\0]*)")
_PROHIBITED = ("replaces", "group")
_ONCE = ("pkgname", "pkgbase", "pkgver", "arch")
_KEYS = frozenset(
    {
        *("pkgname", "pkgbase", "pkgver", "pkgdesc", "pkgtype", "xdata", "url", "license", "arch"),
        *("builddate", "packager", "size", "group", "replaces", "conflict", "provides", "backup"),
        *("depend", "optdepend", "makedepend", "checkdepend", "makepkgopt"),
    }
)


class PackageError(InputError):
    """A file is no package, or not one that its job may publish."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageFile:
    """A package file and what its `.PKGINFO` says; `info` is all of it, by key.

    `linkage` is what it needs and offers, `imports` are the names that it takes; both are without a
    checksum. `files` are the paths of all that is no folder, one a line.
    """

    path: Path
    pkgname: str
    pkgbase: str
    version: str
    arch: str
    info: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False, compare=False)
    linkage: PackageLinkage | None = field(default=None, hash=False, compare=False)
    imports: PackageImports | None = field(default=None, hash=False, compare=False)
    files: bytes = field(default=b"", hash=False, compare=False, repr=False)

    @property
    def prohibited(self) -> tuple[str, ...]:
        """What it says that lets a package put itself in the place of any other one."""
        return tuple(f"{key} = {value}" for key in _PROHIBITED for value in self.info.get(key, ()))


def is_package_file_name(name: str) -> bool:
    """Tell whether `name` is that of a package file (not of its signature)."""
    return _FILE_NAME.fullmatch(name) is not None


def read_package(path: Path, allowance: Allowance | None = None) -> PackageFile:
    """Read a package file that nobody has checked before, within an allowance.

    Raises PackageError.
    """
    name = path.name
    if not is_package_file_name(name):
        raise PackageError(f"{name!a} cannot be the name of a package file")
    suffix = _SUFFIX.search(name)
    visitor, files = LinkageVisitor(), FileListVisitor()

    def visit(archive: TarReader, member: Member) -> None:
        files(archive, member)
        visitor(archive, member)

    try:
        content = read_pkginfo(path, (suffix and suffix[1]) or "", allowance or Allowance(), visit)
    except BadPackageError as error:
        raise PackageError(f"{name}: {error.message}") from error
    info = _parse(name, content)
    package = _package(path, info, visitor, files.lines)
    expected = f"{package.pkgname}-{package.version}-{package.arch}{suffix[0] if suffix else ''}"
    if name != expected:
        raise PackageError(f"{name} says inside that it is {expected}")
    return package


def _parse(name: str, content: bytes) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    # Only the line feed ends a line, as for the programs that read it later.
    for line in content.split(b"\n"):
        if not line or line.startswith(b"#"):
            continue
        match = _LINE.fullmatch(line)
        key = match[1].decode() if match else ""
        if match is None or key not in _KEYS:
            raise PackageError(f"{name}: its .PKGINFO has the line {line[:80]!r}")
        if key in _ONCE and key in found:
            raise PackageError(f"{name}: its .PKGINFO has {key} twice")
        found.setdefault(key, []).append(match[2].decode("utf-8", "replace"))
    missing = [key for key in _ONCE if not found.get(key, [""])[0]]
    if missing:
        raise PackageError(f"{name}: its .PKGINFO lacks {', '.join(missing)}")
    return {key: tuple(values) for key, values in found.items()}


def _package(
    path: Path, info: Mapping[str, tuple[str, ...]], visitor: LinkageVisitor, files: bytes
) -> PackageFile:
    once = {key: info[key][0] for key in _ONCE}
    for key in ("pkgname", "pkgbase"):
        if not is_package_name(once[key]):
            raise PackageError(f"{path.name}: its .PKGINFO has the {key} {once[key]!a}")
    if _VERSION.fullmatch(once["pkgver"]) is None:
        raise PackageError(f"{path.name}: its .PKGINFO has the version {once['pkgver']!a}")
    if re.fullmatch(r"[a-z0-9_]+", once["arch"]) is None:
        raise PackageError(f"{path.name}: its .PKGINFO has the architecture {once['arch']!a}")
    linkage = visitor.reader.package(
        name=once["pkgname"],
        base=once["pkgbase"],
        version=once["pkgver"],
        arch=once["arch"],
        sha256="",
    )
    return PackageFile(
        path=path,
        pkgname=once["pkgname"],
        pkgbase=once["pkgbase"],
        version=once["pkgver"],
        arch=once["arch"],
        info=info,
        linkage=linkage,
        imports=visitor.reader.imports(linkage),
        files=files,
    )
