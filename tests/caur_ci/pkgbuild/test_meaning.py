"""Only meaning counts: quotes, layout, comments and the order of what is independent do not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caur_ci.pkgbuild import doubts, evaluate, parse, render_srcinfo
from caur_ci.pkgbuild.values import Array

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\r"),
    max_size=12,
)


def _single(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _double(text: str) -> str:
    return '"' + re.sub(r'([$`"\\])', r"\\\1", text) + '"'


def _ansi(text: str) -> str:
    return "$'" + "".join(_escaped(char) for char in text) + "'"


def _escaped(char: str) -> str:
    if char in "\\'":
        return f"\\{char}"
    return f"\\U{ord(char):08x}" if char < " " or char > "~" else char


def _backslashes(text: str) -> str:
    # A backslash before a line's end joins lines; one before a blank that a word begins with is not
    # understood.
    quoted = re.sub(r"[\x00-\x20]+", r"'\g<0>'", re.sub(r"([!-/:-@\[-^`{-~])", r"\\\1", text))
    return quoted or "''"


def _in_pieces(text: str) -> str:
    middle = len(text) // 2
    return _single(text[:middle]) + _double(text[middle:])


_WAYS = st.sampled_from([_single, _double, _ansi, _backslashes, _in_pieces])
_BLANKS = st.sampled_from([" ", "\n", "  # a comment 'with a quote\n", " \\\n ", "\t"])


@given(text=_TEXT, way=_WAYS)
@settings(deadline=None, max_examples=150, derandomize=True)
def test_every_way_of_quoting_gives_the_same_text(text: str, way: Callable[[str], str]) -> None:
    evaluation = evaluate(parse(f"x={way(text)}\n:\n".encode()), files=())
    assert evaluation.value("x") == text


@given(elements=st.lists(st.tuples(_TEXT, _WAYS, _BLANKS), max_size=5))
@settings(deadline=None, max_examples=100, derandomize=True)
def test_every_layout_of_an_array_gives_the_same_elements(
    elements: Sequence[tuple[str, Callable[[str], str], str]],
) -> None:
    written = "".join(f"{blank}{way(text)}" for text, way, blank in elements)
    evaluation = evaluate(parse(f"x=({written}\n)\n:\n".encode()), files=())
    assert evaluation.value("x") == Array.of([text for text, _, _ in elements])


@given(data=st.data())
@settings(
    deadline=None,
    max_examples=60,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
def test_order_and_comments_leave_the_srcinfo_as_it_is(data: st.DataObject) -> None:
    plain = ["pkgname=tool", "pkgver=1", "pkgrel=1", "arch=(any)", "depends=(a b)", "url=x"]
    comments = st.sampled_from(["", "# pkgrel=2", "\n", "_unused=1", ": ${_other:=2}", "true"])
    shuffled = data.draw(st.permutations(plain))
    lines = [line for one in shuffled for line in (one, data.draw(comments))]
    first, second = (evaluate(parse("\n".join(some).encode())) for some in (plain, lines))
    assert doubts(second) == []
    assert render_srcinfo(first) == render_srcinfo(second)
