"""A package file: read once from end to end, and written anew where its `.PKGINFO` changes."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from caur_ci.elf import NamesOutOfReachError
from scheduler.landing import ElfFile
from scheduler.result.compression import packed, unpacked
from scheduler.result.elfmember import DEBUG, read_elf_member
from scheduler.result.errors import BadPackageError
from scheduler.result.metadata import MAX_MTREE, MAX_PKGINFO, MTREE, PKGINFO, with_pkginfo
from scheduler.result.tar import TarReader, TarWriter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scheduler.result.allowance import Allowance
    from scheduler.result.tar import Member

_LIMITS: Mapping[bytes, int] = {PKGINFO: MAX_PKGINFO, MTREE: MAX_MTREE}


@dataclass(slots=True)
class Contents:
    """What is of interest in a package. `elf_left_out` counts those that are not in `elf`."""

    pkginfo: bytes = b""
    mtree: bytes = b""
    elf: list[ElfFile] = field(default_factory=list)
    elf_left_out: int = 0


def read_contents(stream: BinaryIO, suffix: str, allowance: Allowance) -> Contents:
    """Read the package in `stream`, compressed as `suffix` says. Raises BadPackageError."""
    found: dict[bytes, bytes] = {}
    contents = Contents()
    with unpacked(stream, suffix) as content:
        reader = TarReader(content, allowance)
        for member in reader:
            name = _plain(member.name)
            if name in _LIMITS:
                if name in found:
                    raise BadPackageError(f"it holds {name.decode()} twice")
                found[name] = _metadata(reader, member, name)
            elif member.is_file and not name.startswith(DEBUG):
                _look_for_elf(reader, member, name, contents, allowance)
    if PKGINFO not in found:
        raise BadPackageError("it has no .PKGINFO")
    contents.pkginfo, contents.mtree = found[PKGINFO], found.get(MTREE, b"")
    return contents


def write_with_pkginfo(
    source: BinaryIO,
    target: BinaryIO,
    suffix: str,
    *,
    contents: Contents,
    pkginfo: bytes,
    allowance: Allowance,
) -> None:
    """Write the package in `source`, with another `.PKGINFO`, to `target`.

    What `.MTREE` says of it follows; all else stays as it is, byte for byte.
    """
    fresh = {PKGINFO: pkginfo}
    if contents.mtree:
        fresh[MTREE] = with_pkginfo(contents.mtree, pkginfo)
    with unpacked(source, suffix) as content, packed(target, suffix) as stream:
        reader, writer = TarReader(content, allowance), TarWriter(stream)
        for member in reader:
            data = fresh.get(_plain(member.name))
            if data is None:
                writer.write(member.header)
                for chunk in reader.chunks():
                    writer.write(chunk)
            else:
                writer.write(member.resized(len(data)))
                writer.write(data)
            writer.fill_block()
        writer.close()
    target.flush()
    os.fsync(target.fileno())


def _plain(name: bytes) -> bytes:
    return name.removeprefix(b"./")


def _metadata(reader: TarReader, member: Member, name: bytes) -> bytes:
    if not member.is_file or member.size > _LIMITS[name]:
        raise BadPackageError(f"its {name.decode()} is no file, or too large")
    return reader.read(member.size)


def _look_for_elf(
    reader: TarReader, member: Member, name: bytes, contents: Contents, allowance: Allowance
) -> None:
    path = name.decode(errors="backslashreplace")
    try:
        elf = read_elf_member(reader, member)
    except NamesOutOfReachError:
        contents.elf_left_out += 1
        return
    if elf is None or not (elf.soname or elf.needs):
        return
    if allowance.takes_elf(len(path) + len(elf.soname) + sum(map(len, elf.needs))):
        contents.elf.append(ElfFile(path=path, bits=elf.bits, soname=elf.soname, needs=elf.needs))
    else:
        contents.elf_left_out += 1
