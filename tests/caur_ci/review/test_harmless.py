"""Whatever strangers write, a description shows it and nobody obeys it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from caur_ci.plaintext import one_line
from caur_ci.review.description import LONGEST, describe, is_about
from caur_ci.review.harmless import as_block, as_code
from caur_ci.review.request import ChangeText, ReviewPoint, ReviewRequest
from tests.caur_ci.review.markdown import outside_of_code

if TYPE_CHECKING:
    from collections.abc import Iterator

# What is worth breaking out with, in any order and with anything in between.
BITS = st.sampled_from(
    [
        *(
            "@alice",
            "@team/all",
            "#1",
            "!2",
            "GH-3",
            "closes #1",
            "fixes o/r#1",
            "&4",
            "~bug",
            "%5",
        ),
        *("/merge", "/approve", "/close", "/label ~approved", "\n/merge\n", "\r/merge", "\u2028/x"),
        *("`", "``", "```", "````", "~~~", "\n```\n", "\n````\n/merge\n", "<!--", "-->"),
        *("<details>", "</details>", "<script>", "<img src=x>", "[deploy all]", "[skip ci]"),
        *("[DEPLOY a]", "[ci skip]", "[x](https://e)", "![x](https://e)", "https://e/o/r/issues/1"),
        *("https://e/o/r/-/merge_requests/1", "\x1b]0;x\x07", "::set-output::", "\x00", "\u202e"),
        *(
            "|",
            "\\",
            "*",
            "_",
            "&lt;",
            "\n",
            " ",
            "+",
            "-",
            "@@ -1 +1 @@\n",
            "<",
            ">",
            "\n# x",
            "$1",
        ),
    ]
)
HOSTILE = st.lists(st.one_of(BITS, st.text(max_size=6)), max_size=12).map("".join)

# As forges and on-commit read messages, where nothing is code.
ORDERS = re.compile(
    r"(?<!\w)@\w|(?<![\w&])#\d|\bGH-\d|(?<!\w)!\d|\[(?:deploy|deploy-skip|skip|ci|no|actions)\b"
    r"|/(?:issues|pull|merge_requests|work_items)/\d",
    re.IGNORECASE,
)


def request_of(hostile: str, **more: object) -> ReviewRequest:
    fields: dict[str, object] = {
        "package": "a",
        "branch": "update-a",
        "target": "main",
        "commit": "c" * 40,
        "points": (
            ReviewPoint(message=hostile, severity="danger", code=hostile, file=hostile, line=3),
            ReviewPoint(message=hostile, severity=hostile),
        ),
        "before": hostile,
        "after": hostile,
        "link": hostile,
        "maintainer": hostile,
        "dependants": (hostile, "b"),
        "text": lambda: ChangeText(hostile, f"+{hostile}\n {hostile}", (("tag", hostile),)),
    }
    return ReviewRequest(**{**fields, **more})  # type: ignore[arg-type]


def lines_of(description: str) -> Iterator[str]:
    """Yield the lines as the forges split them."""
    yield from re.split(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]", description)


@settings(max_examples=300)
@given(HOSTILE)
@example("\n```\n/merge\n")
@example("closes #1 @alice")
@example("https://github.com/o/r/issues/1")
@example("http://e/[deploy all]")
def test_nothing_in_a_description_acts(text: str) -> None:
    description = describe(request_of(text), comparison="https://e/compare/main...update-a")

    assert ORDERS.search(description) is None
    for line in lines_of(description):
        assert not line.lstrip().startswith("/"), line
        # Some programs take any row of three or more for the end of a block.
        assert (
            not re.match(r"`{3,}\S*$", line)
            or line.startswith(("```text", "```diff"))
            or set(line) <= {"`", *"textdiff"}
        ), line
    assert is_about(request_of(text), description)


@settings(max_examples=300)
@given(HOSTILE)
@example("`` ` ```")
def test_what_strangers_wrote_is_code_and_nothing_else(text: str) -> None:
    assume(one_line(text))
    plain = describe(request_of("x"), comparison="")
    shown = describe(request_of(text), comparison="")

    frame = outside_of_code(plain)
    assert set(outside_of_code(shown)) <= set(frame) | {"… and more"}


@settings(max_examples=300)
@given(HOSTILE)
def test_a_block_shows_every_line(text: str) -> None:
    block = as_block(text, longest=10_000)

    if block:
        fence, *lines, end = block.split("\n")
        assert fence == f"{end}text"
        assert set(end) == {"`"}
        assert len(end) >= 3
        assert all(line.startswith(" ") for line in lines)
        assert all(end not in line for line in lines)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("plain", "`plain`"),
        ("a`b", "``a`b``"),
        ("`", "`` ` ``"),
        ("two\nlines", "`two lines`"),
        ("x" * 20, "`xxxxxxxxxxxx…`"),
        ("@me", "`@\u2060me`"),
        ("closes #1", "`closes #\u20601`"),
        ("[deploy all]", "`[\u2060deploy all]`"),
    ],
)
def test_a_line_of_code(text: str, expected: str) -> None:
    assert as_code(text, longest=12) == expected


def test_code_reads_as_it_was_written() -> None:
    line = "+pkgver=1.2 # see ${pkgname%%-bin}, $srcdir ; options=(!strip) printf '%s'"

    assert line in as_block(line, longest=500, language="diff")


def test_a_large_change_is_cut_with_a_link() -> None:
    patch = "".join(f"+line {number} {'x' * 80}\n" for number in range(2_000))
    request = request_of("x", text=lambda: ChangeText(patch, patch))

    description = describe(request, comparison="https://e/compare/main...update-a")

    assert len(description) <= LONGEST
    assert "larger than what is shown" in description
    assert "[The whole change](https://e/compare/main...update-a)" in description
    assert description.count("<details>") == description.count("</details>") == 1
    assert "line 0" in description
    assert "line 1999" not in description


def test_what_is_wanted_first_comes_first() -> None:
    upstream = (("tag", "https://github.com/o/r/tree/v2"),)
    danger = ReviewPoint(
        message="runs what it downloads", severity="danger", code="pipe", file="PKGBUILD", line=9
    )
    request = ReviewRequest(
        package="a",
        branch="update-a",
        target="main",
        commit="c" * 40,
        points=(danger, ReviewPoint(message="new host")),
        before="1-1",
        after="2-1",
        link="https://aur.example.org/cgit/aur.git/commit/?h=a&id=5",
        maintainer="somebody",
        dependants=("b", "c"),
        text=lambda: ChangeText("[-1-]{+2+}\n", "-1\n+2\n", upstream),
    )

    lines = describe(request).splitlines()

    assert lines[:7] == [
        "**2 things to look at, 1 of them dangerous**",
        "",
        "- 🛑 `runs what it downloads` `PKGBUILD:9` `pipe`",
        "- ⚠️ `new host`",
        "",
        (
            "- Version: `1-1` → `2-1` ([tag](https://github.com/o/r/tree/v2), "
            "[where it comes from](https://aur.example.org/cgit/aur.git/commit/?h=a&id=5))"
        ),
        "- Maintained by `somebody`",
    ]
    assert lines[7] == "- Here depend on it: `b`, `c`"
    assert "`approved` and `approved-danger`" in "\n".join(lines)
    assert lines.index(" [-1-]{+2+}") < lines.index("<details><summary>Full diff</summary>")


@pytest.mark.parametrize(
    "change",
    [
        {"commit": "d" * 40},
        {"points": ()},
        {"after": "3-1"},
    ],
)
def test_another_state_needs_another_description(change: dict[str, object]) -> None:
    description = describe(request_of("x"))

    assert is_about(request_of("x"), f"{description}\nI have looked at it.")
    assert not is_about(request_of("x", **change), description)
    assert not is_about(request_of("x"), "written by somebody")
