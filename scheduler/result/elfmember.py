"""Programs and libraries in an archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.elf import MAGIC, read_elf

if TYPE_CHECKING:
    from caur_ci.elf import ElfObject
    from scheduler.result.tar import Member, TarReader

# Debug symbols are ELF files too, and say what the program has said already.
DEBUG = b"usr/lib/debug/"


def read_elf_member(
    reader: TarReader, member: Member, *, with_symbols: bool = False
) -> ElfObject | None:
    """Return what the current member says as a program or library, None where it is none.

    Raises NamesOutOfReachError and BadPackageError.
    """
    start = reader.read(len(MAGIC))
    if start != MAGIC:
        return None

    def read(size: int) -> bytes:
        nonlocal start
        before, start = start, b""
        return before + reader.read(size - len(before))

    return read_elf(read, member.size, with_symbols=with_symbols)
