"""The names that are bound when a program is loaded, and their versions."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from caur_ci.elf.layout import NamesOutOfReachError
from caur_ci.elf.model import Symbol, Symbols

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from caur_ci.elf.layout import Image

MAX_SYMBOLS = 500_000
_MAX_STRINGS = 64 * 1024 * 1024
_MAX_SYMBOL_NAME = 4096
_MAX_VERSIONS = 4096
_LARGEST_VERSION = 0x7FFF

_HASH, _STRTAB, _SYMTAB, _RELA, _STRSZ, _REL, _JMPREL = 4, 5, 6, 7, 10, 17, 23
_GNU_HASH, _VERSYM = 0x6FFFFEF5, 0x6FFFFFF0
_VERDEF, _VERDEFNUM, _VERNEED, _VERNEEDNUM = 0x6FFFFFFC, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF
# Nothing tells how long the table of symbols is but what lies behind it.
_ADDRESSES = frozenset(
    {_HASH, _STRTAB, _SYMTAB, _RELA, _REL, _JMPREL, _GNU_HASH, _VERSYM, _VERDEF, _VERNEED}
)
TABLES = _ADDRESSES | {_STRSZ, _VERDEFNUM, _VERNEEDNUM}

_GLOBAL, _WEAK, _UNIQUE = 1, 2, 10
_DEFAULT, _PROTECTED = 0, 3


def read_symbols(image: Image, entries: Sequence[tuple[int, int]]) -> Symbols:
    """Return the symbols of a file with these entries in its dynamic segment."""
    tables = dict(reversed(entries))  # of one that is there twice, the first counts
    try:
        strings = image.at(tables[_STRTAB], min(tables[_STRSZ], _MAX_STRINGS))
        count, whole = _count(image, tables)
        versions = _versions(image, tables, strings)
        size = 24 if image.form.bits == 64 else 16
        data = image.at(tables[_SYMTAB], count * size)
        marks = image.at(tables[_VERSYM], count * 2) if _VERSYM in tables else b""
    except (KeyError, NamesOutOfReachError):
        return Symbols(complete=False)
    imported: list[Symbol] = []
    exported: list[Symbol] = []
    for index, name, bytes_, is_defined in _each(image, data, strings):
        version = versions.get(_mark(image, marks, index) & _LARGEST_VERSION, "")
        (exported if is_defined else imported).append(Symbol(name, version, bytes_))
    complete = whole and len(data) == count * size and len(strings) == tables[_STRSZ]
    return Symbols(imported=tuple(imported), exported=tuple(exported), complete=complete)


def _mark(image: Image, marks: bytes, index: int) -> int:
    mark = marks[2 * index : 2 * index + 2]
    return int.from_bytes(mark, "little" if image.form.order == "<" else "big")


def _count(image: Image, tables: Mapping[int, int]) -> tuple[int, bool]:
    """Return how many symbols there can be, and whether that is all of them."""
    if _HASH in tables:
        words = image.at(tables[_HASH], 8)
        count = struct.unpack(f"{image.form.order}II", words)[1] if len(words) == 8 else 0
    else:
        start = tables[_SYMTAB]
        behind = [tables[tag] for tag in _ADDRESSES & tables.keys() if tables[tag] > start]
        count = (min(behind, default=start) - start) // (24 if image.form.bits == 64 else 16)
    return min(count, MAX_SYMBOLS), count <= MAX_SYMBOLS


def _each(image: Image, data: bytes, strings: bytes) -> Iterator[tuple[int, str, int, bool]]:
    form = struct.Struct(f"{image.form.order}{'IBBHQQ' if image.form.bits == 64 else 'IIIBBH'}")
    for index, values in enumerate(form.iter_unpack(data[: len(data) // form.size * form.size])):
        if image.form.bits == 64:
            place, info, other, section, _, size = values
        else:
            place, _, size, info, other, section = values
        is_defined = section != 0
        if not _counts(info >> 4, other & 3, is_defined=is_defined):
            continue
        name = _text(strings, place)
        if name:
            yield index, name, size, is_defined


def _counts(binding: int, visibility: int, *, is_defined: bool) -> bool:
    if not is_defined:
        return binding == _GLOBAL
    return binding in {_GLOBAL, _WEAK, _UNIQUE} and visibility in {_DEFAULT, _PROTECTED}


def _text(strings: bytes, place: int) -> str:
    end = strings.find(b"\0", place, place + _MAX_SYMBOL_NAME)
    return strings[place:end].decode(errors="backslashreplace") if end > 0 else ""


def _versions(image: Image, tables: Mapping[int, int], strings: bytes) -> dict[int, str]:
    """Return the names of the versions by the numbers that symbols have them under."""
    found: dict[int, str] = {}
    for number, place in _needed(image, tables):
        found[number] = _text(strings, place)
    for number, place in _defined(image, tables):
        found.setdefault(number, _text(strings, place))
    return found


def _needed(image: Image, tables: Mapping[int, int]) -> Iterator[tuple[int, int]]:
    order = image.form.order
    left = _MAX_VERSIONS
    for at, count, aux in _chain(image, tables, _VERNEED, _VERNEEDNUM, ("HHIII", 1, 3, 4)):
        place = at + aux
        for _ in range(count):
            data = image.at(place, 16)
            left -= 1
            if len(data) < 16 or left < 0:
                return
            _, _, number, name, step = struct.unpack(f"{order}IHHII", data)
            yield number & _LARGEST_VERSION, name
            if not step:
                break
            place += step


def _defined(image: Image, tables: Mapping[int, int]) -> Iterator[tuple[int, int]]:
    order = image.form.order
    for at, number, aux in _chain(image, tables, _VERDEF, _VERDEFNUM, ("HHHHIII", 2, 5, 6)):
        data = image.at(at + aux, 8)
        if len(data) == 8 and number > 1:  # the first is the name of the file
            yield number & _LARGEST_VERSION, struct.unpack(f"{order}II", data)[0]


def _chain(
    image: Image,
    tables: Mapping[int, int],
    table: int,
    number: int,
    fields: tuple[str, int, int, int],
) -> Iterable[tuple[int, int, int]]:
    """Yield the entries of a list, each with where it is, its number, and where its names are."""
    form = struct.Struct(image.form.order + fields[0])
    at = tables.get(table, 0)
    for _ in range(min(tables.get(number, 0), _MAX_VERSIONS)):
        data = image.at(at, form.size)
        if len(data) < form.size:
            return
        values = form.unpack(data)
        yield at, values[fields[1]], values[fields[2]]
        if not values[fields[3]]:
            return
        at += values[fields[3]]
