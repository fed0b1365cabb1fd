"""Reads one ELF file out of a stream."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from caur_ci.elf.layout import DYNAMIC, Form, Image, NamesOutOfReachError
from caur_ci.elf.model import ElfObject
from caur_ci.elf.symbols import TABLES, read_symbols

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from caur_ci.elf.layout import Segment

__all__ = ["MAGIC", "NamesOutOfReachError", "read_elf"]

MAGIC = b"\x7fELF"
_MAX_ENTRIES = 4096
# This much of the start is kept, where the headers and as a rule the names are, and this much
# around the dynamic segment.
_HEAD = 8 * 1024 * 1024
_BEFORE, _AFTER = 4 * 1024 * 1024, 1024 * 1024
_CHUNK = 1024 * 1024

_END, _NEEDED, _STRTAB, _SONAME = 0, 1, 5, 14
_WANTED = frozenset({_NEEDED, _STRTAB, _SONAME}) | TABLES


def read_elf(
    read: Callable[[int], bytes], size: int, *, with_symbols: bool = False
) -> ElfObject | None:
    """Return what an ELF file of `size` bytes says, its symbols only where they are asked for.

    `read` returns the next bytes, as many as asked for unless the file ends. None for what is not
    loaded with others, or is broken. Raises NamesOutOfReachError, and what `read` raises.
    """
    head = read(_HEAD)
    try:
        form = Form({1: 32, 2: 64}[head[4]], {1: "<", 2: ">"}[head[5]])
        machine = form.machine(head)
        segments = [each for each in form.segments(head) if each.offset + each.size <= size]
    except (IndexError, KeyError, struct.error):
        return None
    dynamic = next((each for each in segments if each.kind == DYNAMIC), None)
    if dynamic is None:
        return None
    image = Image(form, segments, _kept(read, head, dynamic))
    entries = list(_entries(image, dynamic))
    table = next((value for tag, value in entries if tag == _STRTAB), None)
    if table is None:
        return None

    def names(wanted: int) -> Iterator[str]:
        found = (image.name(table + value) for tag, value in entries if tag == wanted)
        return (name for name in found if name)

    return ElfObject(
        bits=form.bits,
        machine=machine,
        soname=next(names(_SONAME), ""),
        needs=tuple(dict.fromkeys(names(_NEEDED))),
        symbols=read_symbols(image, entries) if with_symbols else None,
    )


def _kept(
    read: Callable[[int], bytes], head: bytes, dynamic: Segment
) -> tuple[tuple[int, bytes], ...]:
    end = dynamic.offset + min(dynamic.size, _MAX_ENTRIES * 16)
    if end <= len(head):
        return ((0, head),)
    begin = max(len(head), dynamic.offset - _BEFORE)
    left = begin - len(head)
    while left and (data := read(min(left, _CHUNK))):
        left -= len(data)
    return ((0, head), (begin, read(end - begin + _AFTER)))


def _entries(image: Image, dynamic: Segment) -> Iterator[tuple[int, int]]:
    entry = image.form.entry
    size = min(dynamic.size // entry.size, _MAX_ENTRIES) * entry.size
    data = image.at_offset(dynamic.offset, size) if size else b""
    for tag, value in entry.iter_unpack(data[: len(data) // entry.size * entry.size]):
        if tag == _END:
            return
        if tag in _WANTED:
            yield tag, value
