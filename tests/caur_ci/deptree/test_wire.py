"""The one-line form of the dependency tree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caur_ci.deptree import DependencyTree, WireEntry, entries_of, read_wire, write_wire
from caur_ci.errors import InputError

NAMES = st.from_regex(r"[A-Za-z0-9@_+][A-Za-z0-9@._+-]{0,12}", fullmatch=True)
TUPLES = st.lists(NAMES, max_size=5).map(tuple)
ENTRIES = st.lists(st.builds(WireEntry, NAMES, TUPLES, TUPLES), max_size=8)


@given(ENTRIES)
def test_what_is_written_reads_back(entries: list[WireEntry]) -> None:
    line = write_wire(entries)
    assert "\n" not in line
    assert read_wire(line) == entries
    assert read_wire(f" {line};\n") == entries


@given(st.text(max_size=60))
def test_whatever_is_read_can_be_written_or_is_an_input_error(text: str) -> None:
    try:
        entries = read_wire(text)
    except InputError:
        return
    assert read_wire(write_wire(entries)) == entries


def test_the_line_has_every_folder_with_its_products_and_its_needs() -> None:
    tree = DependencyTree.read(
        {
            "app": b"pkgbase=app\npkgver=1\npkgrel=1\ndepends=lib:libx.so.1\ndepends=glibc>=2\n"
            b"makedepends=c++tools\npkgname=app\npkgname=app-docs\ndepends=app\n",
            "libx": b"pkgbase=libx\npkgver=1\npkgrel=1\npkgname=libx\nprovides=lib:libx.so.1\n",
            "c++tools": b"pkgbase=c++tools\npkgver=1\npkgrel=1\npkgname=c++tools\n",
            "broken": None,
        }
    )
    assert write_wire(entries_of(tree)) == (
        "app:app,app-docs:c++tools,glibc,libx;broken::;c++tools:c++tools:;libx:libx:"
    )


def test_a_missing_third_part_and_blanks_are_let_pass() -> None:
    assert read_wire("a:a , b;;b: b: c,,d ;\n") == [
        WireEntry("a", ("a", "b")),
        WireEntry("b", ("b",), ("c", "d")),
    ]
    assert read_wire("") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a:a:b:c", "deptree.txt: the entry 'a:a:b:c' has 4 parts"),
        ("just text", "deptree.txt: the entry 'just text' has 1 parts"),
        ("a:$(id):", r"deptree.txt: '$(id)' in the entry 'a:$(id):' is not a name"),
        ("../a:a:", "deptree.txt: '../a' in the entry '../a:a:' is not a name"),
        (":a:", "deptree.txt: '' in the entry ':a:' is not a name"),
    ],
)
def test_a_line_that_is_none_is_refused_with_the_entry(text: str, message: str) -> None:
    with pytest.raises(InputError) as raised:
        read_wire(text, origin="deptree.txt")
    assert raised.value.message == message


@pytest.mark.parametrize("name", ["a;b", "a:b", "a,b", "", "a\nb"])
def test_a_name_that_would_break_the_line_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="cannot carry the name"):
        write_wire([WireEntry("a", (name,))])
