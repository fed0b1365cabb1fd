"""Symbols, versions and vtables: of files that a real compiler made, and of damaged ones."""

from __future__ import annotations

import io
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caur_ci.elf import NamesOutOfReachError, Symbols, read_elf
from caur_ci.process import run
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from tests.support.compiling import Compiler


def symbols_of(content: bytes) -> Symbols:
    found = read_elf(io.BytesIO(content).read, len(content), with_symbols=True)
    assert found is not None
    assert found.symbols is not None
    return found.symbols


def names(symbols: object) -> set[str]:
    return {f"{each.name}@{each.version}" for each in symbols}  # type: ignore[attr-defined]


def test_what_a_library_gives_and_takes(compiler: Compiler) -> None:
    library = compiler.library(
        "libx.so.1",
        "int there(void); static int own(void) { return 1; }\n"
        "__attribute__((weak)) int perhaps(void);\n"
        "int f(void) { return there() + own() + (perhaps ? perhaps() : 0); }\n"
        '__attribute__((visibility("hidden"))) int hidden(void) { return 2; }',
    )
    found = symbols_of(library.read_bytes())

    assert found.complete
    assert [each.name for each in found.exported] == ["f"]
    assert "there" in {each.name for each in found.imported}
    assert "perhaps" not in {each.name for each in found.imported}


@pytest.mark.parametrize("style", ["gnu", "sysv"])
def test_versions_and_counts_are_those_of_either_hash(compiler: Compiler, style: str) -> None:
    script = compiler.folder / "versions"
    script.write_text("V_1 { global: f; }; V_2 { global: g; local: *; } V_1;\n", encoding="utf-8")
    library = compiler.library(
        "liby.so.1",
        '#include <stdlib.h>\nint f(void) { return abs(-1); } int g(void) { return atoi("1"); }',
        f"-Wl,--version-script={script}",
        f"-Wl,--hash-style={style}",
    )
    found = symbols_of(library.read_bytes())

    assert {"f@V_1", "g@V_2"} <= names(found.exported)
    assert any(each.name == "atoi" and each.version.startswith("GLIBC_") for each in found.imported)


def test_a_vtable_has_its_size(compiler: Compiler) -> None:
    def vtable(methods: str) -> int:
        library = compiler.library(
            "libz.so.1",
            f"struct C {{ {methods} virtual void key(); }}; void C::key() {{}}",
            language="c++",
        )
        (size,) = [
            each.size for each in symbols_of(library.read_bytes()).exported if each.name == "_ZTV1C"
        ]
        return size

    one, two = vtable(""), vtable("virtual int more() { return 1; }")
    assert two - one == 8


def test_real_programs_are_read_as_readelf_reads_them() -> None:
    need_tools("readelf")
    listed = run(["readelf", "--dyn-syms", "--wide", sys.executable]).stdout.decode()
    # Number, value, size, type, binding, visibility, section, name.
    rows = re.findall(
        r"^ *\d+: \S+ +\S+ +\w+ +(\w+) +(\w+) +(\w+) +([^\s@]+)(?:@@?(\S+))?", listed, re.MULTILINE
    )
    found = symbols_of(Path(sys.executable).read_bytes())

    assert names(found.imported) == {
        f"{name}@{version}"
        for bind, _, where, name, version in rows
        if where == "UND" and bind == "GLOBAL"
    }
    assert names(found.exported) == {
        f"{name}@{version}"
        for _, visibility, where, name, version in rows
        if where != "UND" and visibility in {"DEFAULT", "PROTECTED"}
    }


@pytest.fixture(scope="module")
def sample(module_compiler: Compiler) -> bytes:
    return module_compiler.library("libs.so.1", "int f(void) { return 1; }").read_bytes()


@settings(max_examples=60)
@given(data=st.data())
def test_no_damage_is_too_much(sample: bytes, data: st.DataObject) -> None:
    content = bytearray(sample)
    # Where headers, tables and the dynamic segment are.
    places = st.one_of(st.integers(0, 0x600), st.integers(0x2E00, len(content) - 1))
    for place in data.draw(st.lists(places, max_size=12)):
        content[min(place, len(content) - 1)] = data.draw(st.sampled_from([0, 1, 0x7F, 0xFF]))
    with suppress(NamesOutOfReachError):
        read_elf(io.BytesIO(bytes(content)).read, len(content), with_symbols=True)
