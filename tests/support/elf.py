"""ELF files of a few hundred bytes, right or wrong."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOAD, _DYNAMIC = 1, 2
_NULL, _NEEDED, _STRTAB, _SONAME = 0, 1, 5, 14
_SHARED_OBJECT = 3
_ADDRESS = 0x1000


def elf(
    *,
    soname: str = "",
    needs: Sequence[str] = (),
    bits: int = 64,
    order: str = "<",
    segments: int | None = None,
    sections: int = 0,
    entries: Sequence[tuple[int, int]] | None = None,
) -> bytes:
    """Return a shared library that a loader would take, or one that says something impossible."""
    word = "Q" if bits == 64 else "I"
    names = b"\0" + b"".join(name.encode() + b"\0" for name in (soname, *needs))
    header_size, entry_size = (64, 56) if bits == 64 else (52, 32)
    strings_at = header_size + 2 * entry_size
    dynamic_at = strings_at + len(names)
    if entries is None:
        offsets = [1 + len("".join((soname, *needs)[:n]).encode()) + n for n in range(9)]
        entries = [
            *([(_SONAME, offsets[0])] if soname else []),
            *((_NEEDED, offsets[n + 1]) for n in range(len(needs))),
            (_STRTAB, _ADDRESS + strings_at),
            (_NULL, 0),
        ]
    dynamic = b"".join(struct.pack(f"{order}{word}{word}", *entry) for entry in entries)
    size = dynamic_at + len(dynamic)
    header = struct.pack(
        f"{order}4sBBBB8xHHI{word}{word}{word}IHHHHHH",
        *(b"\x7fELF", 2 if bits == 64 else 1, 1 if order == "<" else 2, 1, 0),
        *(_SHARED_OBJECT, 62 if bits == 64 else 3, 1, 0, header_size, 64 if sections else 0, 0),
        *(header_size, entry_size, 2 if segments is None else segments, 0, sections, 0),
    )
    load = _segment(order, bits, _LOAD, 0, _ADDRESS, size)
    table = _segment(order, bits, _DYNAMIC, dynamic_at, _ADDRESS + dynamic_at, len(dynamic))
    return header + load + table + names + dynamic


def _segment(order: str, bits: int, kind: int, offset: int, address: int, size: int) -> bytes:
    if bits == 64:
        return struct.pack(
            f"{order}IIQQQQQQ", kind, 5, offset, address, address, size, size, 0x1000
        )
    return struct.pack(f"{order}IIIIIIII", kind, offset, address, address, size, size, 5, 0x1000)
