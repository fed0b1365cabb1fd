"""What goes under an unchanged soname: names and vtables, with what a real compiler makes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from caur_ci.process import run
from caur_ci.rebuild import RebuildState
from caur_ci.rebuild.abi import LibraryAbi, read_abi
from caur_ci.syncdb import SyncDatabaseError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.compiling import Compiler
    from tests.support.linked_world import LinkedWorld

F, G = "int f(void) { return 1; }\n", "int g(void) { return 2; }\n"
CLASS = "struct C {{ {} virtual int key(); int size; }};\n"


@pytest.fixture
def watching(world: LinkedWorld) -> LinkedWorld:
    world.config = replace(world.config, rebuild_abi=("libx", "host"))
    return world


def program(compiler: Compiler, name: str, called: str, library: Path) -> Path:
    return compiler.program(
        name, f"int {called}(void); int main() {{ return {called}(); }}", library
    )


def test_who_takes_a_name_that_goes_is_rebuilt_once(
    watching: LinkedWorld, compiler: Compiler
) -> None:
    world = watching
    old = compiler.library("libx.so.1", F + G)
    for name, called in (("uses-f", "f"), ("uses-g", "g")):
        world.source(name)
        world.publish(name, {f"usr/bin/{name}": program(compiler, name, called, old)})
    world.libraries(libx=("1-1", {"usr/lib/libx.so.1": old}))
    assert world.look().broken == ()

    new = compiler.library("libx.so.1", F)
    world.libraries(libx=("1-2", {"usr/lib/libx.so.1": new}))
    first = world.look()

    assert first.to_rebuild == {"uses-g": "g of libx is gone"}
    (need,) = first.broken[0].lost
    assert (need.offered_by, need.files, need.library) == (
        "core/libx 1-1",
        ("usr/bin/uses-g",),
        "libx",
    )
    again = world.look()
    assert again.to_rebuild == {}
    assert [it.not_rebuilt for it in again.broken] == ["a rebuild was asked for already"]
    world.publish(
        "uses-g", {"usr/bin/uses-g": program(compiler, "again", "f", new)}, version="1-1.1"
    )
    assert world.look().broken == ()
    assert world.state.asked == {}


def test_another_vtable_is_another_class(watching: LinkedWorld, compiler: Compiler) -> None:
    world = watching

    def library(more: str) -> Path:
        text = CLASS.format(more) + "int C::key() { return 1; }"
        return compiler.library("libx.so.1", text, language="c++")

    old = library("")
    derived = "struct D : C { int key() override { return 3; } };\n"
    text = CLASS.format("") + derived + "C *made = new D; int main() { return made->key(); }"
    world.source("derives")
    world.source("calls")
    world.publish(
        "derives", {"usr/bin/derives": compiler.program("derives", text, old, language="c++")}
    )
    world.libraries(libx=("1-1", {"usr/lib/libx.so.1": old}))
    world.look()
    world.libraries(
        libx=("1-2", {"usr/lib/libx.so.1": library("virtual int more() { return 7; }")})
    )

    (broken,) = world.look().broken
    assert broken.pkgbase == "derives"
    assert broken.reason in {"_ZTI1C of libx is gone", "_ZTI1C, _ZTV1C of libx is gone"}


def test_a_plugin_goes_by_what_loads_it(watching: LinkedWorld, compiler: Compiler) -> None:
    world = watching

    def host(api: str) -> Path:
        return compiler.program(
            "host", f"int {api}(void) {{ return 1; }} int main() {{ }}", "-rdynamic"
        )

    plugin = compiler.library(
        "", "int api(void); int load(void) { return api(); }", file="plugin.so"
    )
    world.source("plugin")
    world.source("stranger")
    world.publish("plugin", {"usr/lib/host/plugins/plugin.so": plugin})
    world.publish("stranger", {"usr/lib/other/plugin.so": plugin})
    own: dict[str, bytes | Path] = {"usr/lib/host/plugins/own.so": b"", "usr/bin/host": host("api")}
    world.libraries(host=("1-1", own))
    world.look()
    world.libraries(host=("2-1", {**own, "usr/bin/host": host("other_api")}))

    assert world.look().to_rebuild == {"plugin": "api of host is gone"}


def test_names_of_libraries_that_keep_them_are_not_even_remembered(
    watching: LinkedWorld, compiler: Compiler
) -> None:
    made = compiler.program("uses-libc", '#include <stdio.h>\nint main() { return puts(""); }')
    watching.publish("uses-libc", {"usr/bin/uses-libc": made})
    names = [name for file in watching.imports["uses-libc"].files for name in file.names]
    assert not any("GLIBC" in name for name in names)


def test_what_cannot_be_fetched_is_tried_again(watching: LinkedWorld, compiler: Compiler) -> None:
    world = watching
    old = compiler.library("libx.so.1", F + G)
    world.source("tool")
    world.publish("tool", {"usr/bin/tool": program(compiler, "tool", "g", old)})
    world.libraries(libx=("1-1", {"usr/lib/libx.so.1": old}))
    world.look()
    world.libraries(libx=("1-2", {"usr/lib/libx.so.1": compiler.library("libx.so.1", F)}))
    package = world.folder / "dist/core/libx-1-2-x86_64.pkg.tar"
    content = package.read_bytes()
    for damage in (None, b"", content[:-20_000]):
        if damage is None:
            package.unlink()
        else:
            package.write_bytes(damage)
        found = world.look()
        assert found.broken == ()
        assert any(note.startswith("what libx 1-2 exports: ") for note in found.notes)
    package.write_bytes(content)
    assert world.look().to_rebuild == {"tool": "g of libx is gone"}


def test_who_is_watched_from_now_on_is_looked_at_at_once(
    watching: LinkedWorld, compiler: Compiler
) -> None:
    world = watching
    library = {"usr/lib/libx.so.1": compiler.library("libx.so.1", F)}
    world.publish("tool", {"usr/bin/tool": b""})
    world.libraries(libx=("1-1", library), libz=("1-1", {"usr/lib/empty": b""}))
    world.config = replace(world.config, rebuild_abi=("libz",))
    world.look()
    assert set(world.state.abis) == {"libz"}
    world.config = replace(world.config, rebuild_abi=("libx",))
    world.look()
    assert set(world.state.abis) == {"libx"}


def test_a_watched_package_that_is_nowhere_is_told(watching: LinkedWorld) -> None:
    watching.publish("tool", {"usr/bin/tool": b""})
    watching.libraries(libx=("1-1", {"usr/lib/empty": b""}))
    assert "CI_REBUILD_ABI: no database has host" in watching.look().notes


def test_what_is_remembered_of_names_is_read_again(
    watching: LinkedWorld, compiler: Compiler, tmp_path: Path
) -> None:
    library = compiler.library("libx.so.1", F + G)
    package = tmp_path / "x.pkg.tar.zst"
    (tmp_path / "usr/lib").mkdir(parents=True)
    (tmp_path / "usr/lib/libx.so.1").write_bytes(library.read_bytes())
    run(["bsdtar", "--zstd", "-cf", package, "usr"], cwd=tmp_path)
    abi = read_abi(package, "1-1")

    assert (len(abi.names), abi.sonames) == (2, frozenset({"libx.so.1"}))
    assert LibraryAbi.from_dict(abi.to_dict()) == abi
    state = RebuildState(abis={"libx": abi})
    assert RebuildState.from_bytes(state.to_bytes()) == state
    damaged = state.to_bytes().replace(b'"names":"', b'"names":"!')
    assert RebuildState.from_bytes(damaged).abis == {}
    with pytest.raises(SyncDatabaseError):
        read_abi(b"nothing", "1-1")
