"""The sonames that a program or library provides and needs.

Only what the loader goes by is looked at: program headers, the dynamic segment, and the names that
this refers to; see "Object Files" in the System V ABI (gabi). Everything has a limit, as the files
may have been made to be read for ever.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.landing import ElfFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAGIC = b"\x7fELF"
_MAX_SEGMENTS = 256
_MAX_ENTRIES = 4096
_MAX_NAME = 255
# A file is read once from its start to its end. This much of the start is kept, where the headers
# and as a rule the names are, and this much around the dynamic segment.
_HEAD = 8 * 1024 * 1024
_BEFORE, _AFTER = 4 * 1024 * 1024, 1024 * 1024
_CHUNK = 1024 * 1024

_LOAD, _DYNAMIC = 1, 2
_END, _NEEDED, _STRTAB, _SONAME = 0, 1, 5, 14


class NamesOutOfReachError(Exception):
    """The names are too far away from all that is kept of the file."""


@dataclass(frozen=True, slots=True)
class _Form:
    """Where the fields are in files of one class (32 or 64 bits) and byte order."""

    bits: int
    order: str

    def header(self, data: bytes) -> tuple[int, int, int]:
        """Return offset, size and number of the program headers."""
        word, place = ("Q", 32) if self.bits == 64 else ("I", 28)
        (offset,) = struct.unpack_from(f"{self.order}{word}", data, place)
        size, number = struct.unpack_from(f"{self.order}HH", data, 54 if self.bits == 64 else 42)
        return offset, size, number

    def segment(self, data: bytes, place: int) -> _Segment:
        form = "II5Q" if self.bits == 64 else "I4I"
        kind, *rest = struct.unpack_from(f"{self.order}{form}", data, place)
        # With 64 bits, the flags come first.
        offset, address, _, size = rest[1:5] if self.bits == 64 else rest[:4]
        return _Segment(kind, address, offset, size)

    @property
    def entry(self) -> struct.Struct:
        return struct.Struct(f"{self.order}{'QQ' if self.bits == 64 else 'II'}")


@dataclass(frozen=True, slots=True)
class _Segment:
    kind: int
    address: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class _Kept:
    """Parts of a file, by where they begin in it."""

    parts: tuple[tuple[int, bytes], ...]

    def at(self, offset: int, size: int) -> bytes:
        """Return what is at `offset`, less than `size` bytes where the part ends.

        Raises NamesOutOfReachError.
        """
        for begin, data in self.parts:
            if begin <= offset < begin + len(data):
                return data[offset - begin : offset - begin + size]
        raise NamesOutOfReachError


def read_elf(read: Callable[[int], bytes], size: int, path: str) -> ElfFile | None:
    """Return what an ELF file of `size` bytes says; `path` is its name.

    `read` returns the next bytes, as many as asked for unless the file ends. None for what neither
    provides nor needs a soname, or is broken. Raises NamesOutOfReachError, and what `read` raises.
    """
    head = read(_HEAD)
    try:
        form = _Form({1: 32, 2: 64}[head[4]], {1: "<", 2: ">"}[head[5]])
        segments = [each for each in _segments(head, form) if each.offset + each.size <= size]
    except (IndexError, KeyError, struct.error):
        return None
    dynamic = next((each for each in segments if each.kind == _DYNAMIC), None)
    if dynamic is None:
        return None
    kept = _kept(read, head, dynamic)
    entries = list(_entries(kept, form, dynamic))
    table = next((value for tag, value in entries if tag == _STRTAB), None)
    if table is None:
        return None
    names = [
        (tag, name)
        for tag, value in entries
        if tag != _STRTAB and (name := _name(kept, segments, table + value))
    ]
    soname = next((name for tag, name in names if tag == _SONAME), "")
    needs = tuple(dict.fromkeys(name for tag, name in names if tag == _NEEDED))
    if not soname and not needs:
        return None
    return ElfFile(path=path, bits=form.bits, soname=soname, needs=needs)


def _segments(head: bytes, form: _Form) -> Iterator[_Segment]:
    offset, size, number = form.header(head)
    for place in range(min(number, _MAX_SEGMENTS)):
        yield form.segment(head, offset + place * size)


def _kept(read: Callable[[int], bytes], head: bytes, dynamic: _Segment) -> _Kept:
    end = dynamic.offset + min(dynamic.size, _MAX_ENTRIES * 16)
    if end <= len(head):
        return _Kept(((0, head),))
    begin = max(len(head), dynamic.offset - _BEFORE)
    left = begin - len(head)
    while left and (data := read(min(left, _CHUNK))):
        left -= len(data)
    return _Kept(((0, head), (begin, read(end - begin + _AFTER))))


def _entries(kept: _Kept, form: _Form, dynamic: _Segment) -> Iterator[tuple[int, int]]:
    entry = form.entry
    size = min(dynamic.size // entry.size, _MAX_ENTRIES) * entry.size
    data = kept.at(dynamic.offset, size) if size else b""
    for tag, value in entry.iter_unpack(data[: len(data) // entry.size * entry.size]):
        if tag == _END:
            return
        if tag in {_NEEDED, _STRTAB, _SONAME}:
            yield tag, value


def _name(kept: _Kept, segments: list[_Segment], address: int) -> str:
    """Return the text at an address of the loaded program, or nothing for what is no name."""
    for segment in segments:
        if segment.kind == _LOAD and 0 <= address - segment.address < segment.size:
            offset = segment.offset + address - segment.address
            name, end, _ = kept.at(offset, _MAX_NAME + 1).partition(b"\0")
            return name.decode(errors="backslashreplace") if end else ""
    return ""
