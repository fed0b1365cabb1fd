"""The tar format, as far as makepkg writes it: read as a stream, and passed on byte for byte.

Python's tarfile would read all that other programs write as well, and write it again in its own
words. Here, whatever makepkg's bsdtar does not write is refused, since readers of such archives
differ in what they see: one form of header (ustar, with pax's extension where needed), every name
once, and nothing behind the end.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from scheduler.result.errors import BadPackageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scheduler.result.allowance import Allowance

BLOCK = 512
_SHOWN = 80
_RECORD = 20 * BLOCK
_CHUNK = 1024 * 1024
# A header may bring extended attributes along.
_MAX_EXTENSION = 1024 * 1024
# Linux knows no longer paths.
_MAX_NAME = 4096
_MAX_REST = 1024 * 1024

_FILE, _FOLDER = b"0", b"5"
_OTHER_KINDS = frozenset({b"1", b"2", b"3", b"4", b"5", b"6"})
_PAX = b"x"
_MAGIC = b"ustar\x0000"
_OCTAL = re.compile(rb"[0-7]*[ \0]*")
# What readers take as a text that ends with its first NUL byte.
_TEXTS = frozenset({b"path", b"linkpath", b"size", b"uname", b"gname", b"hdrcharset"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file, folder or link in an archive.

    `header` are all the blocks before its content, `attributes` what those say in pax's form.
    """

    name: bytes
    kind: bytes
    size: int
    header: bytes
    attributes: Mapping[bytes, bytes]

    @property
    def is_file(self) -> bool:
        """Whether it is a plain file."""
        return self.kind == _FILE

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.kind == _FOLDER

    @property
    def plain_name(self) -> bytes:
        """Its name as a path below the root of the file system."""
        return self.name.removeprefix(b"./").removesuffix(b"/")

    def resized(self, size: int) -> bytes:
        """Return the header of the same file with a content of `size` bytes.

        Raises BadPackageError.
        """
        if b"size" in self.attributes or not self.is_file:
            raise BadPackageError(f"{self.name!a} is not stored as makepkg would do it")
        block = bytearray(self.header[-BLOCK:])
        block[124:135] = b"%011o" % size
        block[148:156] = b" " * 8
        block[148:156] = b"%06o\0 " % sum(block)
        return self.header[:-BLOCK] + bytes(block)


class TarReader:
    """The members of an archive, in its order. Content that is not asked for is skipped."""

    def __init__(self, stream: IO[bytes], allowance: Allowance) -> None:
        self._stream = stream
        self._allowance = allowance
        self._left = 0
        self._padding = 0
        self._names: set[bytes] = set()

    def __iter__(self) -> Iterator[Member]:
        while (member := self._next()) is not None:
            self._allowance.take_member()
            self._check_name(member)
            yield member

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes of the content of the current member, or what is left."""
        data = self._exactly(min(size, self._left))
        self._left -= len(data)
        return data

    def chunks(self) -> Iterator[bytes]:
        """Yield the rest of the content of the current member."""
        while self._left:
            yield self.read(_CHUNK)

    def _next(self) -> Member | None:
        for _ in self.chunks():
            pass
        self._exactly(self._padding)
        self._padding = 0
        block = self._exactly(BLOCK)
        if not any(block):
            self._drain()
            return None
        _check_block(block)
        if block[156:157] != _PAX:
            return self._member(block, {})
        size = _number(block[124:136])
        content = self._extension(size)
        attributes = _pax_attributes(content[:size])
        head = block + content
        block = self._exactly(BLOCK)
        if not any(block):
            raise BadPackageError("it ends in the middle of a header")
        _check_block(block)
        return self._member(head + block, attributes)

    def _member(self, header: bytes, attributes: Mapping[bytes, bytes]) -> Member:
        block = header[-BLOCK:]
        kind = block[156:157]
        size = _decimal(attributes[b"size"]) if b"size" in attributes else _number(block[124:136])
        if kind not in _OTHER_KINDS | {_FILE} or (kind != _FILE and size):
            raise BadPackageError(f"it holds an entry of kind {kind!a} that makepkg never writes")
        self._left = size
        self._padding = -size % BLOCK
        name = attributes.get(b"path", _plain_name(block))
        if len(name) > _MAX_NAME:
            raise BadPackageError(f"it holds a name of {len(name)} bytes")
        return Member(
            name=name,
            kind=kind,
            size=size,
            header=header,
            attributes=attributes,
        )

    def _check_name(self, member: Member) -> None:
        name = member.plain_name
        if not name and member.is_folder:
            return  # the root itself
        parts = name.split(b"/")
        if any(part in {b"", b".", b".."} for part in parts) or (
            member.is_file and member.name.endswith(b"/")
        ):
            raise BadPackageError(f"it holds the name {member.name[:_SHOWN]!a}")
        if parts[0] == b".PKGINFO" and len(parts) > 1:
            raise BadPackageError("it holds a folder .PKGINFO")
        known = hashlib.blake2b(name, digest_size=16).digest()
        if known in self._names:
            raise BadPackageError(f"it holds {name[:_SHOWN].decode(errors='replace')} twice")
        self._names.add(known)

    def _extension(self, size: int) -> bytes:
        if size > _MAX_EXTENSION:
            raise BadPackageError("it holds a header that is too large")
        return self._exactly(size + -size % BLOCK)

    def _exactly(self, size: int) -> bytes:
        self._allowance.take_unpacked(size)
        data = self._stream.read(size)
        if len(data) < size:
            raise BadPackageError("the archive is cut off")
        return data

    def _drain(self) -> None:
        rest = 0
        while data := self._stream.read(_CHUNK):
            self._allowance.take_unpacked(len(data))
            rest += len(data)
            if any(data):
                raise BadPackageError("there is something behind the end of the archive")
            if rest > _MAX_REST:
                raise BadPackageError("there is too much behind the end of the archive")


class TarWriter:
    """Writes members whose headers are given."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._size = 0

    def write(self, data: bytes) -> None:
        """Write a header, or a part of a content."""
        self._stream.write(data)
        self._size += len(data)

    def fill_block(self) -> None:
        """End the content of a member."""
        self.write(bytes(-self._size % BLOCK))

    def close(self) -> None:
        """End the archive, as bsdtar does."""
        self.write(bytes(2 * BLOCK))
        self.write(bytes(-self._size % _RECORD))


def _check_block(block: bytes) -> None:
    told = _number(block[148:156])
    if told != sum(block) - sum(block[148:156]) + 8 * ord(" "):
        raise BadPackageError("it is no tar archive, or a broken one")
    if block[257:265] != _MAGIC:
        raise BadPackageError("it holds a header of another form than makepkg's")


def _number(field: bytes) -> int:
    if field[0] == 0x80:  # for what needs more than 11 octal digits
        return int.from_bytes(field[1:], "big")
    if _OCTAL.fullmatch(field) is None:
        raise BadPackageError(f"{field!a} is no number of a tar archive")
    return int(field.rstrip(b" \0") or b"0", 8)


def _decimal(text: bytes) -> int:
    if not text.isdigit() or len(text) > 18:
        raise BadPackageError(f"{text!a} is no size")
    return int(text)


def _plain_name(block: bytes) -> bytes:
    name = block[:100].split(b"\0", 1)[0]
    prefix = block[345:500].split(b"\0", 1)[0]
    return b"%s/%s" % (prefix, name) if prefix else name


def _pax_attributes(content: bytes) -> dict[bytes, bytes]:
    """Read records of the form `LENGTH KEY=VALUE` and a line feed."""
    found: dict[bytes, bytes] = {}
    place = 0
    while place < len(content):
        digits = content[place : place + 20].split(b" ", 1)[0]
        length = _decimal(digits)
        key, equals, value = content[place + len(digits) + 1 : place + length - 1].partition(b"=")
        if not equals or content[place + length - 1 : place + length] != b"\n":
            raise BadPackageError("it holds a header that cannot be read")
        if key in found or key.startswith(b"GNU.sparse") or (key in _TEXTS and b"\0" in value):
            raise BadPackageError(f"it holds a header with {key[:_SHOWN]!a} as makepkg has none")
        found[key] = value
        place += length
    return found
