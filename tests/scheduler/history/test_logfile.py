"""The file of one log."""

from __future__ import annotations

import random
import stat
import subprocess
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from scheduler.history.logfile import (
    BLOCK_SIZE,
    LogFileError,
    LogHeading,
    read_block,
    read_heading,
    write_log,
)

if TYPE_CHECKING:
    from pathlib import Path

HEADING = LogHeading(job_id=7, attempt=2, identity="repo/x86_64/a", started=123.5)


def read_log(path: Path, offset: int, limit: int) -> bytes:
    start, block = read_block(path, offset)
    return block[offset - start : offset - start + limit]


def written(path: Path, content: bytes, portion: int = BLOCK_SIZE) -> Path:
    size = write_log(path, HEADING, lambda offset: content[offset : offset + portion])
    assert size == len(content)
    return path


@pytest.mark.parametrize("size", [0, 1, BLOCK_SIZE - 1, BLOCK_SIZE, BLOCK_SIZE + 1, 3_000_000])
def test_every_byte_comes_back_from_wherever_one_begins(tmp_path: Path, size: int) -> None:
    content = random.Random(size).randbytes(size)
    path = written(tmp_path / "log", content, portion=300_000)

    read = bytearray()
    while data := read_log(path, len(read), 700_000):
        read += data

    assert read == content
    assert read_log(path, size // 2, 10) == content[size // 2 : size // 2 + 10]
    assert read_log(path, size + 5, 10) == b""
    assert read_heading(path) == (HEADING, size)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_zstd_shows_it_as_well(tmp_path: Path) -> None:
    content = b"==> Making package\r\n" * 100_000
    path = written(tmp_path / "log.zst", content)
    assert path.stat().st_size < len(content) // 20
    shown = subprocess.run(["zstd", "-dc", path], check=True, capture_output=True)
    assert shown.stdout == content


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "spoilt"])
def test_what_is_damaged_is_not_taken_for_a_log(tmp_path: Path, damage: str) -> None:
    path = written(tmp_path / "log", b"x" * 3_000_000)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    forms = {"cut": content[:-20], "empty": b"", "text": b"no log" * 9, "spoilt": content}
    path.write_bytes(bytes(forms[damage]))
    with pytest.raises(LogFileError):
        _read_each_block(path)


@pytest.mark.parametrize(
    ("before", "after"), [(b'"job_id": 7', b'"job_id":""'), (b"identity", b"jdentity")]
)
def test_a_heading_that_makes_no_sense_is_none(tmp_path: Path, before: bytes, after: bytes) -> None:
    path = written(tmp_path / "log", b"text")
    path.write_bytes(path.read_bytes().replace(before, after))
    with pytest.raises(LogFileError, match="does not say whose log it is"):
        read_heading(path)


def _read_each_block(path: Path) -> None:
    for offset in range(0, 3_000_000, BLOCK_SIZE):
        read_log(path, offset, 10)


def test_large_logs_take_little_memory(tmp_path: Path) -> None:
    size = 24 * BLOCK_SIZE
    block = random.Random(1).randbytes(BLOCK_SIZE)

    def read(offset: int) -> bytes:
        return block[: min(BLOCK_SIZE, size - offset)]

    tracemalloc.start()
    try:
        assert write_log(tmp_path / "log", HEADING, read) == size
        assert read_log(tmp_path / "log", size - 5, BLOCK_SIZE) == block[-5:]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * BLOCK_SIZE
