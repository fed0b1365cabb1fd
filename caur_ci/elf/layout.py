"""Where things are in an ELF file, and those parts of it that were kept."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LOAD, DYNAMIC = 1, 2
MAX_SEGMENTS = 256
MAX_NAME = 255


class NamesOutOfReachError(Exception):
    """The names are too far away from all that is kept of the file."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the file, and where it is in the loaded program."""

    kind: int
    address: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Form:
    """Where the fields are in files of one class (32 or 64 bits) and byte order."""

    bits: int
    order: str

    @property
    def entry(self) -> struct.Struct:
        """An entry of the dynamic segment: tag and value."""
        return struct.Struct(f"{self.order}{'QQ' if self.bits == 64 else 'II'}")

    def machine(self, data: bytes) -> int:
        """Return the kind of processor. Raises struct.error."""
        (machine,) = struct.unpack_from(f"{self.order}H", data, 18)
        return int(machine)

    def segments(self, head: bytes) -> Iterator[Segment]:
        """Yield the segments, as far as there may be. Raises struct.error."""
        word, place = ("Q", 32) if self.bits == 64 else ("I", 28)
        (offset,) = struct.unpack_from(f"{self.order}{word}", head, place)
        size, number = struct.unpack_from(f"{self.order}HH", head, 54 if self.bits == 64 else 42)
        for each in range(min(number, MAX_SEGMENTS)):
            yield self._segment(head, offset + each * size)

    def _segment(self, data: bytes, place: int) -> Segment:
        if place > len(data):  # what does not fit into a C integer is another error otherwise
            raise struct.error
        form = "II5Q" if self.bits == 64 else "I4I"
        kind, *rest = struct.unpack_from(f"{self.order}{form}", data, place)
        # With 64 bits, the flags come first.
        offset, address, _, size = rest[1:5] if self.bits == 64 else rest[:4]
        return Segment(kind, address, offset, size)


@dataclass(frozen=True, slots=True)
class Image:
    """What was kept of a file, by the addresses of the loaded program.

    `parts` are by where they begin in the file.
    """

    form: Form
    segments: Sequence[Segment]
    parts: tuple[tuple[int, bytes], ...]

    def at_offset(self, offset: int, size: int) -> bytes:
        """Return what is there in the file, less than `size` bytes where the part ends.

        Raises NamesOutOfReachError.
        """
        for begin, data in self.parts:
            if begin <= offset < begin + len(data):
                return data[offset - begin : offset - begin + size]
        raise NamesOutOfReachError

    def at(self, address: int, size: int) -> bytes:
        """Return what is there once the program is loaded; nothing where nothing is.

        Raises NamesOutOfReachError.
        """
        for segment in self.segments:
            if segment.kind == LOAD and 0 <= address - segment.address < segment.size:
                offset = address - segment.address
                return self.at_offset(segment.offset + offset, min(size, segment.size - offset))
        return b""

    def name(self, address: int) -> str:
        """Return the text at an address, or nothing for what is no name.

        Raises NamesOutOfReachError.
        """
        name, end, _ = self.at(address, MAX_NAME + 1).partition(b"\0")
        return name.decode(errors="backslashreplace") if end else ""
