"""Sonames, out of files that are right, strange or made to do harm."""

from __future__ import annotations

import io
import re
import shutil
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caur_ci.elf import ElfObject, NamesOutOfReachError, read_elf
from caur_ci.process import run
from tests.support.elf import elf
from tests.support.tools import need_tools

LIBRARY = elf(soname="libx.so.1", needs=["liby.so.2", "libc.so.6"])


def read(content: bytes) -> ElfObject | None:
    return read_elf(io.BytesIO(content).read, len(content), with_symbols=True)


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_library_names_itself_and_what_it_needs(bits: int, order: str) -> None:
    content = elf(soname="libx.so.1", needs=["liby.so.2", "libc.so.6"], bits=bits, order=order)

    assert read_elf(io.BytesIO(content).read, len(content)) == ElfObject(
        bits=bits,
        machine=62 if bits == 64 else 3,
        soname="libx.so.1",
        needs=("liby.so.2", "libc.so.6"),
    )


def test_real_programs_are_read_as_readelf_reads_them() -> None:
    need_tools("readelf")
    programs = [sys.executable, *filter(None, map(shutil.which, ("bash", "ssh", "git", "gpg")))]
    for program in programs:
        listed = run(["readelf", "--dynamic", "--wide", program]).stdout.decode()
        found = read(Path(program).read_bytes())
        assert found is not None
        assert list(found.needs) == re.findall(r"\(NEEDED\).*\[(.*)\]", listed)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x7fELF",
        LIBRARY[:63],
        LIBRARY[:100],
        LIBRARY[:-40],  # its dynamic segment is cut off
        b"\x7fELF" + bytes(200),
        b"\x7fELF" + b"\xff" * 200,
        LIBRARY[:39] + b"\x80" + LIBRARY[40:],  # segments further away than any file has bytes
        elf(segments=0),
        elf(segments=0xFFFF),
        elf(entries=[(1, 2**63), (5, 2**64 - 1), (0, 0)]),
        elf(entries=[(1, 1)]),
        elf(),
    ],
)
def test_what_says_nothing_has_no_names(content: bytes) -> None:
    found = read(content)
    assert found is None or (found.soname, found.needs) == ("", ())


def test_the_table_of_sections_does_not_matter() -> None:
    # An endless one, of which the loader knows nothing.
    assert read(elf(soname="libx.so.1", sections=0xFFFF)) is not None


def test_there_is_an_end_to_what_is_read() -> None:
    many = elf(needs=["a"], entries=[(5, 0x1000 + 64 + 112)] + [(1, 2)] * 100_000)
    found = read(many)
    assert found is not None
    assert found.needs == ("a",)

    long = read(elf(soname="x" * 300, needs=["libc.so.6"]))
    assert long is not None
    assert (long.soname, long.needs) == ("", ("libc.so.6",))


def test_names_and_dynamic_segment_may_be_far_away(monkeypatch: pytest.MonkeyPatch) -> None:
    # The headers are in the first 176 bytes, the names behind them, the segment behind these.
    for kept in (176, 190, len(LIBRARY) - 1):
        monkeypatch.setattr("caur_ci.elf.reading._HEAD", kept)
        assert read(LIBRARY) is not None
    assert len(LIBRARY) < 400
    monkeypatch.setattr("caur_ci.elf.reading._HEAD", 176)
    monkeypatch.setattr("caur_ci.elf.reading._BEFORE", 0)
    with pytest.raises(NamesOutOfReachError):
        read(LIBRARY)


def test_no_more_is_read_than_is_kept() -> None:
    size = 1024**4
    asked = []

    def sparse(wanted: int) -> bytes:
        asked.append(wanted)
        return elf(segments=0) if len(asked) == 1 else bytes(wanted)

    assert read_elf(sparse, size) is None
    assert asked == [8 * 1024 * 1024]


@given(st.data())
def test_no_damage_is_too_much(data: st.DataObject) -> None:
    content = bytearray(LIBRARY)
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(content)))
    with suppress(NamesOutOfReachError):
        read(bytes(content[:end]))
