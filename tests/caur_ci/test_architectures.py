"""What a package is built for, and where that goes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caur_ci.architectures import BuildTarget, accepted_by, base_of, build_targets, is_flavour
from caur_ci.srcinfo import parse_fields

V3 = "x86_64_v3"
_NAMES = ("x86_64", V3, "x86_64_v4", "aarch64", "aarch64_v9", "riscv64")


@pytest.mark.parametrize(
    ("arch", "base"),
    [
        ("x86_64", "x86_64"),
        (V3, "x86_64"),
        ("x86_64_znver4", "x86_64"),
        ("aarch64", "aarch64"),
        ("aarch64_v9_1", "aarch64"),
        ("x86_64v3", "x86_64v3"),
        ("any", "any"),
        ("", ""),
    ],
)
def test_a_flavour_is_called_after_its_base(arch: str, base: str) -> None:
    assert base_of(arch) == base
    assert is_flavour(arch) == (arch != base)
    assert accepted_by(arch) == tuple(dict.fromkeys((arch, base)))


@pytest.mark.parametrize(
    ("declared", "architectures", "only", "expected"),
    [
        (("any",), ("x86_64",), (), [("x86_64", ())]),
        (("any",), (V3, "x86_64", "aarch64"), ("aarch64",), [("x86_64", (V3, "aarch64"))]),
        (("any",), (V3,), (), [(V3, ())]),
        (("x86_64",), ("x86_64", V3, "aarch64"), (), [("x86_64", ()), (V3, ())]),
        (("x86_64",), ("x86_64", V3), ("x86_64",), [("x86_64", (V3,))]),
        (("x86_64",), ("x86_64", V3), (V3,), [(V3, ())]),
        ((V3,), ("x86_64", V3), (), [(V3, ())]),
        (("i686",), ("x86_64", V3), (), []),
        ((), ("x86_64", "aarch64"), (), [("x86_64", ()), ("aarch64", ())]),
    ],
)
def test_what_a_package_is_built_for(
    declared: tuple[str, ...],
    architectures: tuple[str, ...],
    only: tuple[str, ...],
    expected: list[tuple[str, tuple[str, ...]]],
) -> None:
    found = build_targets(declared, architectures, only)
    assert [(target.arch, target.shared_with) for target in found] == expected


@given(
    declared=st.sets(st.sampled_from([*_NAMES, "any", "i686"])),
    architectures=st.lists(st.sampled_from(_NAMES), min_size=1, unique=True),
    only=st.sets(st.sampled_from(_NAMES)),
)
def test_no_database_gets_the_same_package_twice(
    declared: set[str], architectures: list[str], only: set[str]
) -> None:
    found = build_targets(declared, architectures, only)
    reached = [arch for it in found for arch in (it.arch, *it.shared_with)]
    assert len(reached) == len(set(reached))
    assert set(reached) <= set(architectures)
    assert all(it.reaches(arch) for it in found for arch in (it.arch, *it.shared_with))
    assert not BuildTarget("x86_64").reaches(V3)


def test_a_flavour_needs_what_its_base_needs() -> None:
    text = b"pkgbase = a\npkgver = 1\npkgrel = 1\ndepends = b\ndepends_x86_64 = c\n"
    text += f"depends_{V3} = d\ndepends_aarch64 = e\npkgname = a\n".encode()
    assert parse_fields(text, arch=V3).depends == parse_fields(text).depends == ("b", "c")
    assert parse_fields(text, arch="aarch64").depends == ("b", "e")
