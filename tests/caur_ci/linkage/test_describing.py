"""What a package needs, from its files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.elf import ElfObject
from caur_ci.linkage import LinkageReader, PackageLinkage

if TYPE_CHECKING:
    from collections.abc import Mapping


def elf(*needs: str, soname: str = "", bits: int = 64, machine: int = 62) -> ElfObject:
    return ElfObject(bits=bits, machine=machine, soname=soname, needs=needs)


def described(
    files: Mapping[str, ElfObject | None],
    *,
    name: str = "tool",
    version: str = "1-1",
    arch: str = "x86_64",
    buildinfo: str = "",
) -> PackageLinkage:
    reader = LinkageReader()
    reader.add_buildinfo(buildinfo)
    for path, content in files.items():
        reader.add_file(path)
        if content is not None:
            reader.add_elf(path, content)
    return reader.package(name=name, base=name, version=version, arch=arch, sha256="0")


def test_a_program_needs_the_libraries_of_others() -> None:
    found = described(
        {
            "usr/bin/tool": elf("libx.so.1", "libc.so.6"),
            "usr/lib32/y.so": elf("libx.so.1", bits=32, machine=3),
        }
    )
    assert found.needs == {
        "lib32:libx.so.1": ("usr/lib32/y.so",),
        "lib:libc.so.6": ("usr/bin/tool",),
        "lib:libx.so.1": ("usr/bin/tool",),
    }


def test_what_a_package_brings_it_does_not_need() -> None:
    found = described(
        {
            "opt/tool/tool": elf("libssl.so.1.1", "libown.so.3", "libc.so.6"),
            "opt/tool/lib/libssl.so.1.1": elf("libc.so.6", soname="libssl.so.1.1"),
            # The name that the loader looks for is that of a link.
            "usr/lib/libown.so.3.2": elf("libc.so.6", soname="libown.so.3"),
            "usr/lib/libown.so.3": None,
        }
    )
    assert set(found.needs) == {"lib:libc.so.6"}
    assert found.offers == ()


def test_a_link_that_only_ldconfig_makes_is_offered() -> None:
    found = described(
        {
            "usr/lib/libz.so.1.9": elf(soname="libz.so.1"),
            "usr/lib/tool/plugin.so": elf(soname="plugin.so.0"),
        }
    )
    assert found.offers == ("lib:libz.so.1",)


def test_programs_for_other_processors_are_data() -> None:
    files = {"usr/lib/firmware/x": elf("libandroid.so", machine=183)}
    assert described(files).needs == {}
    assert set(described(files, arch="aarch64").needs) == {"lib:libandroid.so"}


def test_paths_are_no_sonames() -> None:
    assert described({"usr/bin/x": elf("/opt/x/libx.so", "libc.so.6")}).needs.keys() == {
        "lib:libc.so.6"
    }


def test_words_that_are_no_sonames_go_nowhere() -> None:
    odd = ("libx.so [deploy all]", "liby.so\n", "", "ü.so")
    assert set(described({"usr/bin/x": elf(*odd, "libc.so.6")}).needs) == {"lib:libc.so.6"}
    assert described({"usr/lib/z.so.1": elf(soname="z [deploy all].so")}).offers == ()


def test_folders_of_interpreters() -> None:
    files: dict[str, ElfObject | None] = {
        f"usr/lib/python3.12/site-packages/x/{number}.py": None for number in range(9)
    }
    assert described(files, arch="any").needs == {
        "python:3.12": tuple(f"usr/lib/python3.12/site-packages/x/{n}.py" for n in range(3))
    }
    # The interpreter itself does not need one.
    assert described({**files, "usr/lib/python3.12/os.py": None}).needs == {}


def test_what_the_build_used_tells_where_no_folder_does() -> None:
    buildinfo = (
        "format = 2\ninstalled = ocaml-5.2.0-1-x86_64\ninstalled = nodejs-lts-iron-20.1.0-3-any\n"
    )
    files = {"usr/lib/ocaml/x/x.cmxa": None, "usr/lib/node_modules/x/x.node": elf("libc.so.6")}
    found = described({**files}, buildinfo=buildinfo)
    assert set(found.needs) == {"lib:libc.so.6", "ocaml:5.2.0", "nodejs:20"}
    # What holds no such files does not care.
    assert described({"usr/bin/x": None}, buildinfo=buildinfo).needs == {}
    assert set(described({**files}).needs) == {"lib:libc.so.6"}


def test_what_is_remembered_is_bounded() -> None:
    reader = LinkageReader()
    for number in range(9_000):
        reader.add_file(f"usr/lib/{'x' * 4000}{number}.so")
    found = reader.package(name="big", base="big", version="1-1", arch="any", sha256="")
    assert "more libraries than are looked at" in found.problem
