"""Text from strangers acts on nothing that shows it."""

from __future__ import annotations

import json

import pytest

from caur_ci.plaintext import (
    code_in_markdown,
    in_markdown,
    in_message,
    json_without_commands,
    link_in_markdown,
    one_line,
    printable,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain 1:2.3-4 é 漢\n\tnext", "plain 1:2.3-4 é 漢\n\tnext"),
        ("\x1b[31mred\x1b[0m \x1b]0;title\x07x\x1b]8;;http://e\x1b\\y", "red xy"),
        ("a\rb\x08\x00\x9b", "a�b���"),
        ("\u202eevil\u2066\ufeff\udc80", "�evil���"),
        ("one\r\ntwo", "one\ntwo"),
        ("section_start:1:x\r\x1b[0Kx", "section_start :1:x�x"),
    ],
)
def test_terminals_are_left_alone(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error::x", ": :error::x"),
        ("said\n  ::add-mask::x\n\t::x", "said\n  : :add-mask::x\n\t: :x"),
        ("\x1b[0m::error::x", ": :error::x"),
        ("see ##[group]x", "see ## [group]x"),
        ("section_start:1:x", "section_start :1:x"),
        ("a\u2028::x", "a�::x"),
        ("std::vector", "std::vector"),
    ],
)
def test_forges_get_no_commands(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_many_lines_become_one() -> None:
    assert one_line(" a\n\n::b\u2028c\r\n") == "a ::b c"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[x](http://e) ![y](z)", r"\[x\](http\://e) \!\[y\](z)"),
        ("a|b\n`c` <img> @all &amp; www.e.org", r"a\|b \`c\` \<img\> \@all \&amp; www\.e.org"),
        ("1.2-3, (done)", "1.2-3, (done)"),
    ],
)
def test_markdown_is_shown_as_it_is(text: str, shown: str) -> None:
    assert in_markdown(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [("1:2-3", "`1:2-3`"), ("a`b", "``a`b``"), ("`a|", r"`` `a\| ``"), ("", "")],
)
def test_code_ends_where_it_should(text: str, shown: str) -> None:
    assert code_in_markdown(text) == shown


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://e.org/a?b=c#d", "[more](https://e.org/a?b=c#d)"),
        ("https://e.org/a)|<b", "[more](https://e.org/a%29%7C%3Cb)"),
        ("javascript:alert(1)", ""),
        ("https://e.org/a b", ""),
        ("https://user@e.org/", ""),
        ("", ""),
    ],
)
def test_only_plain_web_addresses_become_links(url: str, link: str) -> None:
    assert link_in_markdown("more", url) == link


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[deploy all] was changed", "(deploy all) was changed"),
        ("a\n\n[skip ci]", "a (skip ci)"),
        ("fixes #12, @all", "fixes # 12, @ all"),
    ],
)
def test_nobody_obeys_what_a_message_names(text: str, said: str) -> None:
    assert in_message(text) == said


def test_json_says_the_same_without_commands() -> None:
    data = {"a": "##[error]x", "b": ["section_end:1:x", "::error::", "\\##[x]"]}
    document = json_without_commands(json.dumps(data, indent=2))

    assert json.loads(document) == data
    assert "##[" not in document
    assert "section_end:" not in document
