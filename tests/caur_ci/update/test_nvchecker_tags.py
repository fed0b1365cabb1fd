"""The tag that is chosen is the one that nvchecker itself chooses."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caur_ci.confined import Confined
from caur_ci.errors import InputError
from caur_ci.update.nvchecker_tags import _as_pacman, choose
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Sequence

TAGS = ["1.0", "v1.0", "v1.1", "v1.10", "v1.9", "v2.0-rc1", "release_1_2", "nightly", "20200101"]


def real(tags: Sequence[str], options: dict[str, Any]) -> str:
    """Return what nvchecker makes of a list of versions."""
    core = pytest.importorskip("nvchecker.core")
    chosen = core.apply_list_options(list(tags), options, "tool")
    return core.substitute_version(chosen, options) if chosen else ""


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"prefix": "v"},
        {"include_regex": r"v\d.*"},
        {"include_regex": r"v1\.\d+", "prefix": "v"},
        {"include_regex": r"\d\.\d"},
        {"exclude_regex": r".*(rc|\d{8}).*", "prefix": "v"},
        {"exclude_regex": r"\d+", "ignored": "v2.0-rc1 v1.10"},
        {
            "include_regex": "release_.*",
            "from_pattern": r"release_(\d+)_(\d+)",
            "to_pattern": r"\1.\2",
        },
        {"from_pattern": "v", "to_pattern": ""},
    ],
)
def test_options_mean_what_they_mean_there(options: dict[str, Any]) -> None:
    assert choose(TAGS, options, "")[0] == real(TAGS, options)


_PIECES = st.lists(
    st.sampled_from(
        [
            *("1", "0", "00", "2", "10", ".", ".", "-", "_", "+", "/", "!", "rc", "a", "b", "v"),
            *("post", "dev", "alpha", "pre", "r", "x", "final"),
        ]
    ),
    min_size=1,
    max_size=7,
).map("".join)


@settings(max_examples=150, deadline=None)
@given(st.lists(_PIECES, min_size=1, max_size=6))
def test_any_tags_are_ordered_as_there(tags: list[str]) -> None:
    assert choose(tags, {}, "")[0] == real(tags, {})


def test_the_order_of_pacman_is_that_of_its_tool() -> None:
    need_tools("vercmp")
    pairs = [
        *(("1.0-rc1", "1.0"), ("1.0-rc1", "1.0-2"), ("1:1", "2"), ("v1.0", "1.0"), ("a/1", "a/2")),
        *(("1.0", "1.0.0"), ("1.0_1", "1.0.1"), ("r10", "r9"), ("1.0a", "1.0"), ("x", "1")),
    ]
    for first, second in pairs:
        told = subprocess.run(
            ["vercmp", first, second], capture_output=True, text=True, check=True
        ).stdout
        a, b = _as_pacman(first), _as_pacman(second)
        assert (a > b) - (a < b) == int(told), (first, second)


def test_the_tag_of_the_version_that_is_there_is_found() -> None:
    options = {"include_regex": r"v\d.*", "prefix": "v"}
    assert choose(["v1.0", "v1.1"], options, "1.0") == ["1.1", "v1.1", "v1.0"]
    assert choose(["v1.1"], options, "1.0") == ["1.1", "v1.1", ""]


def test_of_equal_versions_the_last_is_taken() -> None:
    tags = ["1.0.0", "1.0", "v1.0"]
    assert choose(tags, {}, "")[0] == "v1.0" == real(tags, {})


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"include_regex": "x"}, "matches no tag"),
        ({"exclude_regex": ".*"}, "leave no tag"),
        ({"include_regex": "("}, "regular expression"),
        ({"from_pattern": "v", "to_pattern": r"\9"}, "regular expression"),
        ({"from_pattern": "v"}, "no to_pattern"),
        ({"include_regex": 1}, "option"),
        ({"ignored": ["a"]}, "option"),
        ({"prefix": 1}, "option"),
    ],
)
def test_options_that_leave_nothing_are_told(options: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why):
        choose(TAGS, options, "")


def test_without_tags_there_is_no_version() -> None:
    with pytest.raises(InputError, match="no tags"):
        choose([], {}, "")


def test_an_expression_that_never_ends_is_ended() -> None:
    with (
        Confined(cpu_seconds=1) as confined,
        pytest.raises(InputError, match="too much time"),
    ):
        confined.call(choose, ["a" * 60], {"include_regex": "(a|a|aa)*b"}, "")
