"""What paths offer and need."""

from __future__ import annotations

import pytest

from caur_ci.linkage.capabilities import (
    Found,
    capability_of_folder,
    library,
    offered_as_package,
    offered_by,
)


def offered(*paths: str) -> dict[str, Found]:
    return dict(offered_by("\n".join(paths).encode()))


def test_a_library_is_offered_where_everybody_looks() -> None:
    assert offered("usr/lib/", "usr/lib/libx.so.1", "usr/lib32/liby.so.2.3", "usr/bin/x") == {
        "lib:libx.so.1": Found.USUAL,
        "lib32:liby.so.2.3": Found.USUAL,
    }


def test_in_another_folder_only_some_find_it() -> None:
    assert offered("opt/x/libz.so")["lib:libz.so"] == Found.ELSEWHERE
    # Unless the package tells the loader.
    assert offered("opt/x/libz.so", "etc/ld.so.conf.d/x.conf")["lib:libz.so"] == Found.USUAL


def test_what_only_looks_like_a_library_is_none() -> None:
    assert offered("usr/lib/libx.so.1/", "usr/share/a.sophisticated", "usr/lib/x.sock") == {}


@pytest.mark.parametrize(
    ("landmark", "capability", "file"),
    [
        ("usr/lib/python3.13/os.py", "python:3.13", "usr/lib/python3.13/site-packages/x.py"),
        ("usr/lib/perl5/5.40/core_perl/Config.pm", "perl:5.40", "usr/lib/perl5/5.40/vendor_perl/X"),
        ("usr/lib/ruby/3.3.0/English.rb", "ruby:3.3.0", "usr/lib/ruby/gems/3.3.0/gems/x/x.rb"),
        ("usr/lib/liblua.so.5.4", "lua:5.4", "usr/lib/lua/5.4/x.so"),
        ("usr/lib/liblua5.3.so", "lua:5.3", "usr/share/lua/5.3/x.lua"),
        ("usr/lib/ghc-9.4.8/lib/settings", "ghc:9.4.8", "usr/lib/ghc-9.4.8/site-local/x.hi"),
    ],
)
def test_interpreters_are_known_by_a_file_and_needed_by_a_folder(
    landmark: str, capability: str, file: str
) -> None:
    assert offered(landmark)[capability] == Found.USUAL
    assert capability_of_folder(file) == capability
    # What only uses the folder does not offer it.
    assert capability not in offered(file)


@pytest.mark.parametrize(
    ("name", "version", "capability"),
    [
        ("ocaml", "1:5.2.0-2", "ocaml:5.2.0"),
        ("nodejs", "22.3.1-1", "nodejs:22"),
        ("nodejs-lts-iron", "20.1.0-1", "nodejs:20"),
        ("nodejs-emojione", "2.0-1", None),
        ("glibc", "2.40-1", None),
    ],
)
def test_some_are_known_by_their_packages(name: str, version: str, capability: str | None) -> None:
    assert offered_as_package(name, version) == capability


def test_libraries_of_both_kinds_have_names_of_their_own() -> None:
    assert library("libx.so.1", 64, "x86_64") == "lib:libx.so.1"
    assert library("libx.so.1", 32, "x86_64") == "lib32:libx.so.1"
    assert library("libx.so.1", 32, "armv7h") == "lib:libx.so.1"
