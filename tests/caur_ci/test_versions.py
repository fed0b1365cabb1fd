"""Versions are ordered as pacman orders them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caur_ci.errors import InputError
from caur_ci.process import run
from caur_ci.versions import Version, vercmp
from tests.support.tools import need_tools

PKGVERS = st.from_regex(r"[a-z0-9][a-z0-9._+~]{0,12}", fullmatch=True)
VERSIONS = st.builds(
    lambda epoch, pkgver, pkgrel: f"{epoch}{pkgver}{pkgrel}",
    st.sampled_from(["", "", "0:", "1:", "01:", "12:"]),
    PKGVERS,
    st.sampled_from(["", "-1", "-2", "-10", "-1.1", "-1.10"]),
)


@given(VERSIONS)
def test_a_version_reads_back_as_it_was_written(text: str) -> None:
    version = Version.parse(text)
    assert Version.parse(str(version)) == version


@pytest.mark.parametrize(
    "text", ["", "-1", "1:", ":1", "1-", "1-1-1", "1:1:1", "1 2", "1-x", "x:1", "1/2", "é", "1\n"]
)
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is not a version"):
        Version.parse(text)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1.0-1", "1.0-2"),
        ("9.9-9", "1:0.1-1"),
        ("1.0~rc1-1", "1.0~rc2-1"),
        ("1.0rc1", "1.0"),
        ("r9.abc", "r10.abc"),
        ("0:r169.cc8bfc6-1", "0.36.0-1"),
        ("1.0-1", "1.0-1.1"),
        ("20230101000000000000001", "20230101000000000000002"),
        ("99999999999999999999", "100000000000000000000"),
        ("1.99999999999999999999", "2.1"),
    ],
)
def test_the_older_version_comes_first(older: str, newer: str) -> None:
    assert (vercmp(older, newer), vercmp(newer, older)) == (-1, 1)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("1.0", "1.0-7"),
        ("0:1.0", "1.0"),
        ("1.00-1", "1.0-1"),
        ("1.000000000000000000000000007", "1.7"),
    ],
)
def test_versions_that_pacman_takes_for_the_same(first: str, second: str) -> None:
    assert vercmp(first, second) == 0


@settings(max_examples=150, deadline=None)
@given(VERSIONS, VERSIONS, st.booleans())
def test_the_order_is_that_of_the_vercmp_tool(first: str, second: str, alike: bool) -> None:
    need_tools("vercmp")
    if alike:  # versions that differ late are the ones worth comparing
        second = first + second.rpartition(":")[2].partition("-")[0]
        try:
            Version.parse(second)
        except InputError:
            return
    assert vercmp(first, second) == int(run(["vercmp", first, second]).stdout)


def test_a_version_without_an_end_is_refused() -> None:
    for text in ("9" * 5000, f"{'9' * 5000}:1-1", f"1-{'9' * 5000}"):
        with pytest.raises(InputError, match="characters"):
            vercmp(text, "1")
