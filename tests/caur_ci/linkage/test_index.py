"""The file with what packages need: written, read, and damaged."""

from __future__ import annotations

import gzip
import io
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caur_ci.linkage import (
    LINKAGE,
    FileImports,
    LinkageIndexError,
    PackageImports,
    PackageLinkage,
    read_index,
)
from caur_ci.linkage.imports import head_of
from caur_ci.linkage.index import MAX_LINE, write_lines

TOOL = PackageLinkage(
    name="tool",
    base="tools",
    version="1:2-3",
    sha256="ab",
    needs={"lib:libx.so.1": ("usr/bin/tool", "usr/bin/ütool")},
    offers=("lib:liby.so.1",),
)
TAKES = PackageImports(
    name="tool",
    base="tools",
    version="1:2-3",
    sha256="ab",
    files=(FileImports("usr/bin/tool", ("libx.so.1",), ("_ZTV1C", "f", "g@V_1")),),
)
BROKEN = PackageLinkage(name="x", base="x", version="1-1", sha256="cd", problem="it is no package")


def written(*packages: PackageLinkage) -> bytes:
    stream = io.BytesIO()
    write_lines(LINKAGE, (package.to_line() for package in packages), stream)
    return stream.getvalue()


def test_what_is_written_is_read() -> None:
    assert list(read_index(LINKAGE, gzip.compress(written(TOOL, BROKEN)))) == [TOOL, BROKEN]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "another version"),
        (b'{"format":"caur-linkage","version":2}\n', "another version"),
        (written(TOOL)[:-5], "cut off"),
        (written() + b"[]\n", "line 2 of the index"),
        (written() + b'{"name":"../x","base":"x"}\n', "is no package"),
        (written() + b'{"name":"x","base":"x","needs":{"a":[1]}}\n', "no description"),
        (written() + b'{"name":"x","base":"x","needs":{"lib:a b":[]}}\n', "nothing that a package"),
        (written() + b"[" * 100_000 + b"\n", "no description"),
        (written() + b" " * (MAX_LINE + 1) + b"\n", "larger than one may be"),
    ],
)
def test_what_is_no_index_is_refused(content: bytes, problem: str) -> None:
    with pytest.raises(LinkageIndexError, match=problem):
        list(read_index(LINKAGE, gzip.compress(content)))


def test_what_breaks_off_is_told() -> None:
    with pytest.raises(LinkageIndexError, match="cut off"):
        list(read_index(LINKAGE, gzip.compress(written(TOOL))[:-10]))


@settings(max_examples=50)
@given(st.integers(0, len(written(TOOL)) - 1), st.binary(max_size=3))
def test_no_damage_is_too_much(place: int, bytes_: bytes) -> None:
    content = written(TOOL)
    line = content[:place] + bytes_ + content[place + 1 :]
    for each in line.splitlines():
        with suppress(ValueError):
            PackageLinkage.from_line(each)


def test_names_that_are_taken_are_read_again() -> None:
    line = TAKES.to_line()
    assert PackageImports.from_line(line) == TAKES
    assert head_of(line) == ("tool", "ab")
    assert head_of(b'{"sha256":"ab"}') is None


@settings(max_examples=50)
@given(st.integers(0, len(TAKES.to_line()) - 1), st.binary(max_size=3))
def test_no_damage_of_those_is_too_much(place: int, bytes_: bytes) -> None:
    line = TAKES.to_line()
    with suppress(ValueError):
        PackageImports.from_line(line[:place] + bytes_ + line[place + 1 :])


def test_a_line_that_nobody_would_read_is_left_out() -> None:
    stream = io.BytesIO()
    write_lines(LINKAGE, [b"x" * MAX_LINE, TOOL.to_line()], stream)
    assert list(read_index(LINKAGE, gzip.compress(stream.getvalue()))) == [TOOL]
