"""The file of one log: compressed in blocks, so that any part of it is read quickly.

A file is a row of zstd frames, each of one block, in the seekable format of zstd: the last frame
lists the sizes of all. Before them, a frame that decompressors skip says whose log it is, so that
a folder of such files needs no index to be understood. `zstd -dc` shows the whole log.
"""

from __future__ import annotations

import json
import os
import struct
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, BinaryIO

from caur_ci.errors import CaurError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BLOCK_SIZE = 1024 * 1024
_LEVEL = 3
_SKIPPED = struct.Struct("<II")
_HEADING_MAGIC, _TABLE_MAGIC = 0x184D2A50, 0x184D2A5E
_SIZES = struct.Struct("<II")
_FOOTER = struct.Struct("<IBI")
_FOOTER_MAGIC = 0x8F92EAB1
_LARGEST_HEADING = 16 * 1024
_KINDS: dict[str, type | tuple[type, ...]] = {
    "job_id": int,
    "attempt": int,
    "identity": str,
    "started": (int, float),
}


class LogFileError(CaurError):
    """A file that is no log, or not a whole one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogHeading:
    """Which log it is. `started` is a Unix time."""

    job_id: int
    attempt: int
    identity: str
    started: float


def write_log(path: Path, heading: LogHeading, read: Callable[[int], bytes]) -> int:
    """Write a log into the new file `path`, for nobody else to read; return its size.

    `read` returns what comes from an offset on, nothing at the end. No more than two blocks are in
    memory. The file is on disk when this returns. Raises FileExistsError and OSError.
    """
    from zstandard import ZstdCompressor  # noqa: PLC0415 - slow to import

    compressor = ZstdCompressor(level=_LEVEL, write_checksum=True, write_content_size=True)
    text = json.dumps(asdict(heading)).encode()
    sizes = [(_SKIPPED.size + len(text), 0)]
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(_SKIPPED.pack(_HEADING_MAGIC, len(text)) + text)
        offset = 0
        while block := _block(read, offset):
            frame = compressor.compress(block)
            stream.write(frame)
            sizes.append((len(frame), len(block)))
            offset += len(block)
        table = b"".join(_SIZES.pack(*pair) for pair in sizes)
        table += _FOOTER.pack(len(sizes), 0, _FOOTER_MAGIC)
        stream.write(_SKIPPED.pack(_TABLE_MAGIC, len(table)) + table)
        stream.flush()
        os.fsync(stream.fileno())
    return offset


def read_block(path: Path, offset: int) -> tuple[int, bytes]:
    """Return the block of a log that has the byte `offset`, and where it begins.

    Nothing at the end of the log. Raises LogFileError and OSError.
    """
    from zstandard import ZstdDecompressor, ZstdError  # noqa: PLC0415 - slow to import

    with path.open("rb") as stream:
        sizes = _sizes(stream, path)
        place = 0
        for (stored, size), end in zip(sizes, accumulate(pair[1] for pair in sizes), strict=True):
            if offset < end:
                stream.seek(place)
                try:
                    block = ZstdDecompressor().decompress(stream.read(stored), BLOCK_SIZE)
                except ZstdError as error:
                    raise LogFileError(f"{path} is damaged: {error}") from error
                return end - size, block
            place += stored
    return offset, b""


def read_heading(path: Path) -> tuple[LogHeading, int]:
    """Return which log a file has, and how large it is. Raises LogFileError and OSError."""
    with path.open("rb") as stream:
        size = sum(pair[1] for pair in _sizes(stream, path))
        stream.seek(0)
        magic, length = _unpacked(_SKIPPED, stream, path)
        if magic != _HEADING_MAGIC or length > _LARGEST_HEADING:
            raise LogFileError(f"{path} does not say whose log it is")
        try:
            heading = LogHeading(**json.loads(stream.read(length)))
        except (ValueError, TypeError) as error:
            raise LogFileError(f"{path} does not say whose log it is") from error
        if not all(isinstance(getattr(heading, name), kind) for name, kind in _KINDS.items()):
            raise LogFileError(f"{path} does not say whose log it is")
        return heading, size


def _block(read: Callable[[int], bytes], offset: int) -> bytes:
    """Return a whole block, or the last one. What comes beyond it is read again with the next."""
    block = bytearray()
    while len(block) < BLOCK_SIZE and (data := read(offset + len(block))):
        block += data
    return bytes(block[:BLOCK_SIZE])


def _sizes(stream: BinaryIO, path: Path) -> list[tuple[int, int]]:
    """Return the sizes of all frames, on disk and unpacked."""
    end = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, end - _FOOTER.size))
    frames, _, magic = _unpacked(_FOOTER, stream, path)
    start = end - _FOOTER.size - frames * _SIZES.size
    if magic != _FOOTER_MAGIC or start < _SKIPPED.size:
        raise LogFileError(f"{path} is no whole log")
    stream.seek(start)
    sizes = list(_SIZES.iter_unpack(stream.read(frames * _SIZES.size)))
    if sum(pair[0] for pair in sizes) != start - _SKIPPED.size or any(
        pair[1] > BLOCK_SIZE for pair in sizes
    ):
        raise LogFileError(f"{path} is no whole log")
    return sizes


def _unpacked(form: struct.Struct, stream: BinaryIO, path: Path) -> tuple[int, ...]:
    data = stream.read(form.size)
    if len(data) != form.size:
        raise LogFileError(f"{path} is no whole log")
    return form.unpack(data)
