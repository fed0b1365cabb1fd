"""Dependencies and what satisfies them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caur_ci.errors import InputError
from caur_ci.relations import Relation

NAMES = st.from_regex(r"(lib:)?[A-Za-z0-9@_+][A-Za-z0-9@._+-]{0,12}", fullmatch=True)
RELATIONS = st.one_of(
    st.builds(Relation, NAMES),
    st.builds(
        Relation,
        NAMES,
        st.sampled_from(["<", "<=", "=", ">=", ">"]),
        st.from_regex(r"([0-9]:)?[a-z0-9][a-z0-9.]{0,6}(-[0-9])?", fullmatch=True),
    ),
)


@given(RELATIONS)
def test_a_relation_reads_back_as_it_was_written(relation: Relation) -> None:
    assert Relation.parse(str(relation)) == relation


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("foo", Relation("foo")),
        ("foo>=1:2.3-1", Relation("foo", ">=", "1:2.3-1")),
        ("libfoo.so=1-64", Relation("libfoo.so", "=", "1-64")),
        ("lib:libfoo.so.1", Relation("lib:libfoo.so.1")),
        ("gtk+2.0<3", Relation("gtk+2.0", "<", "3")),
        ("V4L2LOOPBACK-MODULE", Relation("V4L2LOOPBACK-MODULE")),
        ("libsecret>=0.20.0,", Relation("libsecret", ">=", "0.20.0,")),
    ],
)
def test_the_parts_are_told_apart(text: str, expected: Relation) -> None:
    assert Relation.parse(text) == expected


@pytest.mark.parametrize(
    "text", ["", " ", "foo bar", "foo>=", ">=1", "foo>=1>=2", "-foo", ".foo", "foo; rm", "a:b:c"]
)
def test_what_is_no_relation_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is not a dependency"):
        Relation.parse(text)


@pytest.mark.parametrize(
    ("wanted", "provided", "satisfied"),
    [
        ("foo", "foo", True),
        ("foo", "foo=2", True),
        ("foo", "bar", False),
        ("foo>=2", "foo=2-1", True),
        ("foo>=2", "foo=1:0.1-1", True),
        ("foo<2", "foo=2", False),
        ("foo<=2", "foo=2-9", True),
        ("foo>2-1", "foo=2-2", True),
        ("foo=2-1", "foo=2-2", False),
        ("foo>=2", "foo", False),
        ("libfoo.so=1-64", "libfoo.so", True),
        ("libfoo.so=1-64", "libfoo.so=1-64", True),
        ("libfoo.so=1-64", "libfoo.so=2-64", False),
        ("lib:libfoo.so.1", "lib:libfoo.so.1", True),
        ("foo=a/b", "foo=a/b", True),
        ("foo>=a/b", "foo=1", False),
    ],
)
def test_a_dependency_is_satisfied_as_pacman_does(
    wanted: str, provided: str, satisfied: bool
) -> None:
    assert Relation.parse(wanted).satisfied_by(Relation.parse(provided)) is satisfied


@pytest.mark.parametrize(
    ("name", "expected"),
    [("libfoo.so", True), ("libfoo.so.1.2", True), ("lib:libfoo.so.1", True), ("foo.sock", False)],
)
def test_sonames_are_told_from_packages(name: str, expected: bool) -> None:
    assert Relation(name).is_soname is expected
