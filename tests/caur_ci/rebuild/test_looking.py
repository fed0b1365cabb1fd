"""What is found broken, with packages whose programs a real compiler made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import InputError
from caur_ci.linkage import PackageLinkage
from caur_ci.rebuild import RebuildState
from caur_ci.web import WebError

if TYPE_CHECKING:
    from tests.support.compiling import Compiler
    from tests.support.linked_world import LinkedWorld

LIBX = {"libx": ("1-1", ["usr/lib/libx.so.1"]), "other": ("1-1", ["usr/bin/other"])}
LIBX_2 = {**LIBX, "libx": ("2-1", ["usr/lib/libx.so.2"])}
GLIBC = {"glibc": ("2-1", ["usr/lib/libc.so.6"])}


def needing(name: str, *capabilities: str, version: str = "1-1") -> PackageLinkage:
    needs = dict.fromkeys(capabilities, (f"usr/bin/{name}",))
    return PackageLinkage(name=name, base=name, version=version, sha256="", needs=needs)


def test_a_library_moves_and_its_users_are_rebuilt_once(
    world: LinkedWorld, compiler: Compiler
) -> None:
    library = compiler.library("libx.so.1", "int f(void) { return 1; }")
    text = "int f(void); int main(void) { return f(); }"
    program = compiler.program("tool", text, library)
    for name in ("tool", "also", "free"):
        world.source(name)
    world.publish("tool", {"usr/bin/tool": program})
    world.publish("also", {"usr/lib/also/plugin.so": program})
    world.publish("free", {"usr/bin/free": compiler.program("free", "int main() { return 0; }")})
    world.distribution({**GLIBC, **LIBX})
    assert world.look().broken == ()

    world.distribution({**GLIBC, **LIBX_2})
    first = world.look()

    assert first.to_rebuild == {"also": "libx.so.1 is gone", "tool": "libx.so.1 is gone"}
    (need,) = first.broken[1].lost
    assert (need.name, need.offered_by, need.since) == ("libx.so.1", "core/libx 1-1", 1002)
    assert (need.library, need.files) == ("libx", ("usr/bin/tool",))

    # Until they are published, they are listed but not rebuilt once more.
    again = world.look()
    assert again.to_rebuild == {}
    assert [it.not_rebuilt for it in again.broken] == ["a rebuild was asked for already"] * 2
    assert again.broken[1].lost[0].since == 1002

    compiler.library("libx.so.2", "int f(void) { return 1; }")
    rebuilt = compiler.program("tool", text, compiler.folder / "libx.so.2")
    world.publish("tool", {"usr/bin/tool": rebuilt}, version="1-1.1")
    assert [it.pkgbase for it in world.look().broken] == ["also"]

    # And the next move counts again.
    world.distribution({**GLIBC, "libx": ("3-1", ["usr/lib/libx.so.3"])})
    assert world.look().to_rebuild == {"tool": "libx.so.2 is gone"}


def test_bundled_and_repackaged_ones_are_not_rebuilt_in_vain(
    world: LinkedWorld, compiler: Compiler
) -> None:
    library = compiler.library("libx.so.1", "int f(void) { return 1; }")
    program = compiler.program("tool", "int f(void); int main() { return f(); }", library)
    world.source("bundling")
    world.source("tool-bin")
    world.source("copied", build=False)
    world.source("patient", config="CI_REBUILD_IGNORE_ABI=true\n")
    world.publish("bundling", {"opt/b/tool": program, "opt/b/lib/libx.so.1": library})
    for name in ("tool-bin", "copied", "patient", "foreign"):
        world.publish(name, {f"usr/bin/{name}": program})
    world.distribution({**GLIBC, **LIBX})
    world.look()
    world.distribution({**GLIBC, **LIBX_2})
    found = world.look()

    assert found.to_rebuild == {}
    assert {it.pkgbase: it.not_rebuilt for it in found.broken} == {
        "copied": "its PKGBUILD has no build(), so a rebuild would be the same",
        "foreign": "no folder of the repository makes it",
        "patient": "its configuration says CI_REBUILD_IGNORE_ABI",
        "tool-bin": "it is only repackaged (-bin), so a rebuild would be the same",
    }


def test_libraries_of_the_blacklist_lead_to_nothing(world: LinkedWorld) -> None:
    world.config = replace(world.config, rebuild_blacklist=("libx",))
    world.source("tool")
    world.publish_linkage(needing("tool", "lib:libx.so.1"))
    world.distribution(LIBX)
    world.look()
    world.distribution(LIBX_2)
    (broken,) = world.look().broken
    assert broken.not_rebuilt == "CI_REBUILD_BLACKLIST names the library"


def test_only_what_was_there_once_can_be_lost(world: LinkedWorld) -> None:
    world.source("tool")
    world.publish_linkage(needing("tool", "lib:libdriver.so.1", "lib:libx.so.1"))
    world.distribution({"other": ("1-1", ["usr/bin/other"])})
    assert world.look().broken == ()
    world.distribution({"other": ("2-1", ["usr/bin/other"])})
    assert world.look().broken == ()


def test_what_comes_back_is_lost_no_more(world: LinkedWorld) -> None:
    world.source("tool")
    world.publish_linkage(needing("tool", "lib:libx.so.1"))
    world.distribution(LIBX)
    world.look()
    world.distribution(LIBX_2)
    assert world.look().to_rebuild == {"tool": "libx.so.1 is gone"}
    world.distribution({**LIBX_2, "libx1": ("1-2", ["usr/lib/libx.so.1"])})
    assert world.look().broken == ()
    # If it goes again, that is another loss.
    world.distribution(LIBX_2)
    assert world.look().to_rebuild == {"tool": "libx.so.1 is gone"}


def test_a_copy_elsewhere_is_no_replacement(world: LinkedWorld) -> None:
    world.source("tool")
    world.publish_linkage(needing("tool", "lib:libx.so.1"))
    world.distribution(LIBX)
    world.look()
    world.distribution({**LIBX_2, "huge": ("1-1", ["opt/huge/lib/libx.so.1"])})
    (broken,) = world.look().broken
    assert broken.lost[0].elsewhere


def test_our_own_packages_offer_libraries_too(world: LinkedWorld, compiler: Compiler) -> None:
    library = compiler.library("libown.so.1", "int f(void) { return 1; }")
    program = compiler.program("tool", "int f(void); int main() { return f(); }", library)
    world.source("tool")
    world.source("own")
    world.distribution(GLIBC)
    # As a link that only ldconfig makes; then as another soname.
    world.publish("own", {"usr/lib/libown.so.1.0": library})
    world.publish("tool", {"usr/bin/tool": program})
    assert world.look().broken == ()
    world.publish("own", {"usr/lib/libown.so.2": compiler.library("libown.so.2", "int f;")})
    found = world.look()
    assert found.to_rebuild == {"tool": "libown.so.1 is gone"}
    assert found.broken[0].lost[0].offered_by == "ours/own 1-1"


@pytest.mark.parametrize(
    ("file", "before", "after", "reason"),
    [
        (
            "usr/lib/python3.12/site-packages/x/__init__.py",
            {"python": ("3.12-1", ["usr/lib/python3.12/os.py"])},
            {"python": ("3.13-1", ["usr/lib/python3.13/os.py"])},
            "python 3.12 is gone",
        ),
        (
            "usr/lib/perl5/5.38/vendor_perl/X.pm",
            {"perl": ("5.38-1", ["usr/lib/perl5/5.38/core_perl/Config.pm"])},
            {"perl": ("5.40-1", ["usr/lib/perl5/5.40/core_perl/Config.pm"])},
            "perl 5.38 is gone",
        ),
        (
            "usr/lib/node_modules/x/build/x.node",
            {"nodejs": ("22.1.0-1", ["usr/bin/node"])},
            {"nodejs": ("24.0.0-1", ["usr/bin/node"])},
            "nodejs 22 is gone",
        ),
    ],
)
def test_interpreters_move(
    world: LinkedWorld,
    file: str,
    before: dict[str, tuple[str, list[str]]],
    after: dict[str, tuple[str, list[str]]],
    reason: str,
) -> None:
    world.source("x")
    world.publish("x", {file: b"content"}, buildinfo="installed = nodejs-22.1.0-1-x86_64\n")
    world.distribution(before)
    assert world.look().broken == ()
    world.distribution(after)
    assert world.look().to_rebuild == {"x": reason}


def test_an_interpreter_of_the_same_version_is_no_move(world: LinkedWorld) -> None:
    world.source("x")
    world.publish("x", {"usr/lib/python3.12/site-packages/x.py": b""})
    world.distribution({"python": ("3.12.1-1", ["usr/lib/python3.12/os.py"])})
    world.look()
    world.distribution({"python": ("3.12.2-1", ["usr/lib/python3.12/os.py"])})
    assert world.look().broken == ()


def test_what_will_break_when_the_distribution_moves(world: LinkedWorld) -> None:
    world.source("tool")
    world.publish_linkage(needing("tool", "lib:libx.so.1"))
    world.distribution(LIBX)
    world.distribution({"libx": ("2-1", ["usr/lib/libx.so.2"])}, "core-testing")

    found = world.looker.look_ahead(["staging", "testing"])

    assert found.to_rebuild == {"tool": "libx.so.1 is gone"}
    assert found.broken[0].lost[0].since == 0
    with pytest.raises(InputError, match="none of the databases"):
        world.looker.look_ahead(["staging"])


def test_nothing_is_read_where_nothing_has_changed(
    world: LinkedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.source("tool")
    world.publish_linkage(needing("tool", "lib:libx.so.1"))
    world.distribution(LIBX)
    world.look()
    before = world.state

    def collect(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr("caur_ci.rebuild.looking.collect_offers", collect)
    assert world.look().broken == ()
    assert world.state == before


def test_a_database_that_is_not_whole_leads_to_nothing(world: LinkedWorld) -> None:
    sonames = [f"lib{number}.so.1" for number in range(60)]
    for soname in sonames:
        world.source(f"tool-{soname}")
        world.publish_linkage(needing(f"tool-{soname}", f"lib:{soname}"))
    world.distribution({"libs": ("1-1", [f"usr/lib/{soname}" for soname in sonames])})
    world.look()
    world.distribution({"other": ("1-1", ["usr/bin/other"])})
    with pytest.raises(InputError, match="60 of 60 libraries and interpreters are gone at once"):
        world.look()


def test_a_repository_that_is_followed_no_more_loses_nothing(world: LinkedWorld) -> None:
    world.source("tool")
    world.publish_linkage(needing("tool", "lib:libx.so.1"))
    world.distribution(LIBX)
    world.look()
    world.config = replace(world.config, lib_db=())
    assert world.look().broken == ()


def test_packages_that_are_not_known_yet_make_nothing_forgotten(world: LinkedWorld) -> None:
    world.source("tool")
    world.publish_linkage(needing("tool", "lib:libx.so.1"))
    world.distribution(LIBX)
    world.look()
    # Published in another version, and the index lags behind.
    world.linkages["tool"] = needing("tool", "lib:libx.so.1", version="2-1")
    index = (world.folder / "repo/ours.linkage.jsonl.zst").read_bytes()
    world._write()
    (world.folder / "repo/ours.linkage.jsonl.zst").write_bytes(index)
    found = world.look()
    assert "of 1 published packages nobody knows" in found.notes[0]
    assert world.state.offers["lib:libx.so.1"].by == "core/libx 1-1"


def test_what_is_missing_is_told(world: LinkedWorld) -> None:
    world.distribution(LIBX)
    (world.folder / "repo/ours.linkage.jsonl.zst").unlink()
    with pytest.raises(InputError, match="there is no index"):
        world.look()
    world.config = replace(world.config, repo_db="")
    with pytest.raises(InputError, match="CI_REPO_DB"):
        world.look()


def test_a_database_that_is_not_there_leaves_everything_as_it_was(world: LinkedWorld) -> None:
    world.source("tool")
    world.publish_linkage(needing("tool", "lib:libx.so.1"))
    world.distribution(LIBX)
    world.look()
    before = world.state
    (world.folder / "dist/core/core.files").unlink()
    with pytest.raises(WebError, match="cannot be read"):
        world.look()
    assert world.state == before


def test_what_is_remembered_survives_damage() -> None:
    content = b'{"needs":"lib:a","found":2,"by":"core/a 1-1","lost":7}\n'
    state = RebuildState.from_bytes(content + b'{"needs":1}\nnonsense\n[]\n{"asked":"x","for":3}\n')
    assert state.to_bytes() == content
