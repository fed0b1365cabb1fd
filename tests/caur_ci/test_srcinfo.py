"""The reader of `.SRCINFO` fields, also against the answers of the srcinfo package."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from srcinfo.parse import parse_srcinfo
from srcinfo.utils import get_variable

from caur_ci.errors import InputError
from caur_ci.srcinfo import SrcinfoFields, parse_fields

SPLIT = b"""\
# made by hand
pkgbase = foo
\tpkgdesc = a = b
\tepoch = 1
\tpkgver = 2.3
\tpkgrel = 4
\tarch = x86_64
\tarch = aarch64
\tcheckdepends = python-pytest
\tmakedepends = cmake
\tmakedepends_x86_64 = nasm
\tmakedepends_aarch64 = gas
\tdepends = glibc
\tdepends = glibc
\tdepends_x86_64 = libfoo.so=1-64
\tprovides = bar=2.3

pkgname = foo

pkgname = foo-docs
\tdepends = 
\tdepends_x86_64 =
\tprovides = bar-docs

pkgname = foo+gui
\tdepends = foo
\tdepends = gtk4>=4.10
"""  # noqa: W291 - makepkg writes the blank after an empty value


def test_every_field_of_a_split_package_is_read() -> None:
    fields = parse_fields(SPLIT)
    assert (fields.pkgbase, fields.version) == ("foo", "1:2.3-4")
    assert fields.arch == ("x86_64", "aarch64")
    assert fields.pkgnames == ("foo", "foo-docs", "foo+gui")
    assert fields.makedepends == ("cmake", "nasm")
    assert fields.checkdepends == ("python-pytest",)
    assert fields.run_depends == ("glibc", "libfoo.so=1-64", "foo", "gtk4>=4.10")


def test_a_packages_own_field_replaces_that_of_the_base() -> None:
    whole, docs, gui = parse_fields(SPLIT).packages
    assert (whole.depends, whole.provides) == (("glibc", "libfoo.so=1-64"), ("bar=2.3",))
    assert (docs.depends, docs.provides) == ((), ("bar-docs",))
    assert gui.depends == ("foo", "gtk4>=4.10", "libfoo.so=1-64")


def test_another_architecture_has_its_own_fields() -> None:
    fields = parse_fields(SPLIT, arch="aarch64")
    assert fields.makedepends == ("cmake", "gas")
    assert fields.packages[0].depends == ("glibc",)


def test_windows_line_ends_and_blanks_are_let_pass() -> None:
    assert parse_fields(SPLIT.replace(b"\n", b"  \r\n")) == parse_fields(SPLIT)


HEAD = b"pkgbase = foo\npkgver = 1\npkgrel = 1\n"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "pkg/.SRCINFO is empty"),
        (b"\n# nothing\n", "pkg/.SRCINFO is empty"),
        (HEAD, "pkg/.SRCINFO has no pkgname"),
        (b"pkgbase = foo\npkgname = foo\n", "has no pkgver and no pkgrel"),
        (b"pkgver = 1\npkgrel = 1\npkgname = foo\n", "has no pkgbase"),
        (HEAD + b"pkgname = foo\npkgname = foo\n", "line 5: names the package foo a second time"),
        (b"pkgbase = foo\npkgbase = bar\n", "line 2: names the pkgbase a second time"),
        (b"pkgbase = ../foo\n", "line 1: '../foo' cannot be the name of a package"),
        (HEAD + b"pkgname = -foo\n", "line 4: '-foo' cannot be the name of a package"),
        (HEAD + b"pkgname =\n", "line 4: '' cannot be the name of a package"),
        (HEAD + b"<<<<<<< HEAD\npkgname = foo\n", "line 4: cannot be read: '<<<<<<< HEAD'"),
        (HEAD + b"=======\n", "line 4: cannot be read"),
        (HEAD + b"two words = 1\n", "line 4: cannot be read"),
        (HEAD + b"pkgname = f\xff\n", "pkg/.SRCINFO is not UTF-8"),
    ],
)
def test_a_broken_file_is_refused_by_name_and_line(data: bytes, message: str) -> None:
    with pytest.raises(InputError) as raised:
        parse_fields(data, origin="pkg/.SRCINFO")
    assert raised.value.message.startswith("pkg/.SRCINFO")
    assert message in raised.value.message
    assert raised.value.hint


def according_to_srcinfo(text: str, arch: str = "x86_64") -> dict[str, Any]:
    """Return what the srcinfo package makes of the fields that we read."""
    info, errors = parse_srcinfo(text)
    assert not errors

    def values(key: str, package: str | None = None) -> tuple[str, ...]:
        parts = [get_variable(name, package, info) or [] for name in (key, f"{key}_{arch}")]
        return tuple(dict.fromkeys(value for part in parts for value in part))

    return {
        "pkgbase": info["pkgbase"],
        "epoch": info.get("epoch", ""),
        "pkgver": info["pkgver"],
        "pkgrel": info["pkgrel"],
        "arch": tuple(info.get("arch", ())),
        "depends": values("depends"),
        "makedepends": values("makedepends"),
        "checkdepends": values("checkdepends"),
        "packages": {
            name: (values("depends", name), values("provides", name)) for name in info["packages"]
        },
    }


def according_to_us(fields: SrcinfoFields) -> dict[str, Any]:
    return {
        "pkgbase": fields.pkgbase,
        "epoch": fields.epoch,
        "pkgver": fields.pkgver,
        "pkgrel": fields.pkgrel,
        "arch": fields.arch,
        "depends": fields.depends,
        "makedepends": fields.makedepends,
        "checkdepends": fields.checkdepends,
        "packages": {
            package.pkgname: (package.depends, package.provides) for package in fields.packages
        },
    }


NAMES = st.from_regex(r"[a-z0-9@_+][a-z0-9@._+-]{0,8}", fullmatch=True)
# Anything that stays on its line, under the wider idea that the srcinfo package has of line ends.
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]))
RELATIONS = st.one_of(
    st.just(""), NAMES, st.builds("{}>={}".format, NAMES, st.sampled_from(["1", "1:2.3-1"]))
)
SUFFIXES = st.sampled_from(["", "", "_x86_64", "_aarch64", "_i686"])
LISTS = st.builds(
    lambda key, suffix, value: f"\t{key}{suffix} = {value}",
    st.sampled_from(["depends", "provides"]),
    SUFFIXES,
    RELATIONS,
)
NOISE = st.one_of(
    st.just(""),
    st.builds("# {}".format, TEXTS),
    st.builds(
        lambda key, value: f"\t{key} = {value}",
        st.sampled_from(["pkgdesc", "url", "optdepends", "source_x86_64", "makedepents"]),
        TEXTS,
    ),
)
BUILD_LISTS = st.builds(
    lambda key, suffix, value: f"  {key}{suffix}={value}",
    st.sampled_from(["makedepends", "checkdepends"]),
    SUFFIXES,
    RELATIONS,
)


@st.composite
def srcinfo_files(draw: st.DrawFn) -> str:
    """A well-formed .SRCINFO, with everything in it that we do not read as well."""
    epoch = draw(st.sampled_from([[], ["\tepoch = 2"]]))
    arch = draw(st.sampled_from([["\tarch = any"], ["\tarch = x86_64", "\tarch = i686"]]))
    head = ["\tpkgver = 1.2", "\tpkgrel = 3", *epoch, *arch]
    body = draw(st.lists(st.one_of(LISTS, BUILD_LISTS, NOISE), max_size=12))
    lines = [f"pkgbase = {draw(NAMES)}", *draw(st.permutations([*head, *body]))]
    for pkgname in draw(st.lists(NAMES, min_size=1, max_size=4, unique=True)):
        lines += ["", f"pkgname = {pkgname}", *draw(st.lists(st.one_of(LISTS, NOISE), max_size=6))]
    return "\n".join(lines) + draw(st.sampled_from(["", "\n", "\n\n"]))


@given(srcinfo_files(), st.sampled_from(["x86_64", "aarch64"]))
def test_generated_files_read_as_the_srcinfo_package_reads_them(text: str, arch: str) -> None:
    fields = parse_fields(text.encode(), arch=arch)
    assert according_to_us(fields) == according_to_srcinfo(text, arch)


@given(st.binary(max_size=200))
def test_no_input_does_worse_than_an_input_error(data: bytes) -> None:
    try:
        parse_fields(data)
    except InputError:
        return


FIXTURES = Path(__file__).parents[1] / "fixtures" / "pkgbuilds"


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*/.SRCINFO")), ids=lambda p: p.parent.name)
def test_fixtures_read_as_the_srcinfo_package_reads_them(path: Path) -> None:
    data = path.read_bytes()
    assert according_to_us(parse_fields(data)) == according_to_srcinfo(data.decode())


def test_real_files_read_as_the_srcinfo_package_reads_them() -> None:
    folder = os.environ.get("CAUR_REAL_METADATA")
    if not folder:
        pytest.skip("CAUR_REAL_METADATA names no folder of real metadata")
    compared = 0
    for path in sorted(Path(folder).glob("*/.SRCINFO")):
        data = path.read_bytes()
        if data.strip():
            fields = parse_fields(data, origin=str(path))
            assert according_to_us(fields) == according_to_srcinfo(data.decode()), path
            compared += 1
    assert compared


def test_what_editors_and_the_aur_let_pass_is_read() -> None:
    text = "\ufeffpkgname = a\n\tpkgver = 1\npkgbase = b\n\tpkgrel = 2\n\tarch = any\n"
    fields = parse_fields(text.encode())

    assert (fields.pkgbase, fields.version, fields.arch) == ("b", "1-2", ("any",))


def test_a_field_of_the_base_is_not_replaced_in_a_package() -> None:
    text = "pkgbase = a\n\tpkgver = 1\n\tpkgrel = 1\n\tarch = any\n"
    late = "pkgname = a\n\tpkgver = 9\n\tarch = x86_64\n"
    fields = parse_fields((text + late).encode())

    assert (fields.version, fields.arch) == ("1-1", ("any",))
