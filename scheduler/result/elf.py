"""The sonames that a program or library provides and needs.

Only what the loader goes by is looked at: program headers and the dynamic segment. Everything has
a limit, as the files may have been made to be read for ever.
"""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from elftools.common.utils import struct_parse
from elftools.elf.elffile import ELFFile

from scheduler.landing import ElfFile

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = b"\x7fELF"
_MAX_SEGMENTS = 256
_MAX_ENTRIES = 4096
_MAX_NAME = 255
# Where in the header the table of sections is named, of which the loader knows nothing.
_SECTION_FIELDS = {32: ((32, 4), (46, 6)), 64: ((40, 8), (58, 6))}
_WANTED = frozenset({"DT_NEEDED", "DT_SONAME", "DT_STRTAB"})


@dataclass(frozen=True, slots=True)
class _Segment:
    kind: str
    address: int
    offset: int
    size: int


def read_elf(stream: IO[bytes], path: str) -> ElfFile | None:
    """Return what the ELF file in `stream`, a copy to be written to, says; `path` is its name.

    None for what neither provides nor needs a soname, or is broken.
    """
    try:
        return _read(stream, path)
    except OSError:
        raise
    except Exception:  # noqa: BLE001 - pyelftools has many, and no file may fail a build
        return None


def _read(stream: IO[bytes], path: str) -> ElfFile | None:
    _hide_sections(stream)
    elf = ELFFile(stream)
    segments = list(_segments(elf))
    dynamic = next((each for each in segments if each.kind == "PT_DYNAMIC"), None)
    if dynamic is None:
        return None
    entries = list(_entries(elf, dynamic))
    table = next((value for tag, value in entries if tag == "DT_STRTAB"), None)
    if table is None:
        return None
    names = [
        (tag, name)
        for tag, value in entries
        if tag != "DT_STRTAB" and (name := _name(stream, segments, table + value))
    ]
    soname = next((name for tag, name in names if tag == "DT_SONAME"), "")
    needs = tuple(dict.fromkeys(name for tag, name in names if tag == "DT_NEEDED"))
    if not soname and not needs:
        return None
    return ElfFile(path=path, bits=elf.elfclass, soname=soname, needs=needs)


def _hide_sections(stream: IO[bytes]) -> None:
    """Make the file one without sections, which pyelftools would look through again and again."""
    stream.seek(4)
    bits = {b"\1": 32, b"\2": 64}.get(stream.read(1))
    for offset, size in _SECTION_FIELDS.get(bits or 0, ()):
        stream.seek(offset)
        stream.write(bytes(size))
    stream.seek(0)


def _segments(elf: ELFFile) -> Iterator[_Segment]:
    length = elf.stream.seek(0, os.SEEK_END)
    for number in range(min(elf["e_phnum"], _MAX_SEGMENTS)):
        header = elf.get_segment(number).header
        offset, size = header["p_offset"], header["p_filesz"]
        if offset + size <= length:
            yield _Segment(header["p_type"], header["p_vaddr"], offset, size)


def _entries(elf: ELFFile, dynamic: _Segment) -> Iterator[tuple[str, int]]:
    form: Any = elf.structs.Elf_Dyn
    number = min(dynamic.size // form.sizeof(), _MAX_ENTRIES)
    for place in itertools.islice(itertools.count(dynamic.offset, form.sizeof()), number):
        entry = struct_parse(form, elf.stream, place)
        if entry["d_tag"] == "DT_NULL":
            return
        if entry["d_tag"] in _WANTED:
            yield entry["d_tag"], entry["d_val"]


def _name(stream: IO[bytes], segments: list[_Segment], address: int) -> str:
    """Return the text at an address of the loaded program, or nothing for what is no name."""
    for segment in segments:
        if segment.kind == "PT_LOAD" and 0 <= address - segment.address < segment.size:
            stream.seek(segment.offset + address - segment.address)
            name, end, _ = stream.read(_MAX_NAME + 1).partition(b"\0")
            return name.decode(errors="backslashreplace") if end else ""
    return ""
