"""The tar format as a stream: the few parts of it that a sync database needs, within bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from caur_ci.syncdb.errors import SyncDatabaseError

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = 512
_CHUNK = 1024 * 1024
_MAX_HEADER = 64 * 1024
_PAX, _PAX_GLOBAL, _LONG_NAME = b"x", b"g", b"L"
_FILES = frozenset({b"0", b"\0", b"7"})
_SPACES = 8 * ord(" ")


@dataclass(frozen=True, slots=True)
class TarEntry:
    """A file in an archive, `name` as it is written there and `size` in bytes."""

    name: bytes
    size: int


class TarStream:
    """The plain files of an archive, in its order. Content that is not asked for is skipped.

    `unpacked` is how many bytes the archive may have, `entries` how many things may be in it.
    """

    def __init__(self, stream: IO[bytes], *, unpacked: int, entries: int) -> None:
        self._stream = stream
        self._unpacked = unpacked
        self._entries = entries
        self._left = 0  # of the content of the current entry, with what fills its last block

    def __iter__(self) -> Iterator[TarEntry]:
        """Yield the files. Raises SyncDatabaseError."""
        name = b""
        size: int | None = None
        while any(block := self._header()):
            self._entries -= 1
            if self._entries < 0:
                raise SyncDatabaseError("it holds too many entries")
            kind = block[156:157]
            told = _number(block[124:136])
            if kind == _PAX:
                name, size = _pax(self._extension(told), name, size)
                continue
            if kind == _LONG_NAME:
                name = self._extension(told).rstrip(b"\0")
                continue
            size = told if size is None else size
            self._left = size + -size % _BLOCK
            if kind in _FILES:
                yield TarEntry(name or _name(block), size)
            elif size and kind != _PAX_GLOBAL:
                raise SyncDatabaseError(f"it holds an entry of the kind {kind!a} with a content")
            self._skip()
            name, size = b"", None
        self._drain()

    def content(self, entry: TarEntry, largest: int) -> bytes:
        """Return what is in the current entry. Raises SyncDatabaseError over `largest` bytes."""
        if entry.size > largest:
            raise SyncDatabaseError(f"{_shown(entry.name)} has more than {largest} bytes")
        data = self._exactly(self._left)
        self._left = 0
        return data[: entry.size]

    def read(self, size: int) -> bytes:
        """Return the next bytes of the content of the current entry, at most its last block.

        Raises SyncDatabaseError.
        """
        data = self._exactly(min(size, self._left))
        self._left -= len(data)
        return data

    def _header(self) -> bytes:
        block = self._exactly(_BLOCK)
        if not any(block):
            return block
        told = _number(block[148:156]) if block[257:262] == b"ustar" else -1
        if told != sum(block) - sum(block[148:156]) + _SPACES:
            raise SyncDatabaseError("it is no tar archive, or a damaged one")
        return block

    def _extension(self, size: int) -> bytes:
        if size > _MAX_HEADER:
            raise SyncDatabaseError("it holds a header that is too large")
        return self._exactly(size + -size % _BLOCK)[:size]

    def _exactly(self, size: int) -> bytes:
        self._take(size)
        data = self._stream.read(size)
        if len(data) < size:
            raise SyncDatabaseError("it is cut off")
        return data

    def _skip(self) -> None:
        while self._left:
            self._left -= len(self._exactly(min(self._left, _CHUNK)))

    def _drain(self) -> None:
        """Read what fills the last record, so that checksums of the compression are looked at."""
        while data := self._stream.read(_CHUNK):
            self._take(len(data))
            if any(data):
                raise SyncDatabaseError("there is something behind its end")

    def _take(self, size: int) -> None:
        self._unpacked -= size
        if self._unpacked < 0:
            raise SyncDatabaseError("it is too large without its compression")


def _number(field: bytes) -> int:
    if field[0] == 0x80:  # for what needs more than 11 octal digits
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0") or b"0"
    if not digits.isdigit() or max(digits) > ord("7"):
        raise SyncDatabaseError(f"it holds {field!a} in place of a number")
    return int(digits, 8)


def _name(block: bytes) -> bytes:
    name = block[:100].split(b"\0", 1)[0]
    # In GNU's form, other things are in place of the prefix.
    prefix = block[345:500].split(b"\0", 1)[0] if block[257:263] == b"ustar\0" else b""
    return b"%s/%s" % (prefix, name) if prefix else name


def _pax(content: bytes, name: bytes, size: int | None) -> tuple[bytes, int | None]:
    """Return what records of the form `LENGTH KEY=VALUE` and a line feed say of the next entry."""
    place = 0
    while place < len(content):
        digits = content[place : place + 8].split(b" ", 1)[0]
        end = place + int(digits) if digits.isdigit() else 0
        record = content[place + len(digits) + 1 : end - 1]
        key, equals, value = record.partition(b"=")
        if not equals or content[end - 1 : end] != b"\n":
            raise SyncDatabaseError("it holds a header that cannot be read")
        if key == b"path":
            name = value
        elif key == b"size":
            if not value.isdigit() or len(value) > 15:
                raise SyncDatabaseError("it holds a size that is none")
            size = int(value)
        place = end
    return name, size


def _shown(name: bytes) -> str:
    return name[:80].decode(errors="replace")
