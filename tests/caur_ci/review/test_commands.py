"""Which lines of a comment are commands, and what they ask for."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caur_ci.review.commands import (
    MOST_COMMANDS,
    MOST_PACKAGES,
    Command,
    Misunderstood,
    Verb,
    commands_in,
)


def verbs(text: str) -> list[str]:
    return [it.verb for it in commands_in(text) if isinstance(it, Command)]


def problem(text: str) -> str:
    (found,) = commands_in(text)
    assert isinstance(found, Misunderstood)
    return found.problem


@pytest.mark.parametrize(
    ("text", "packages", "reason"),
    [
        ("/caur hold a", ("a",), ""),
        ("/caur hold a b,c  a", ("a", "b", "c"), ""),
        ("/Caur HOLD a: the linker  is\tbroken", ("a",), "the linker is broken"),
        ("/caur hold a --reason the linker", ("a",), "the linker"),
        ("/caur hold a --reason=the: linker", ("a",), "the: linker"),
        ("/caur hold `a_b_c` : x", ("a_b_c",), "x"),
        ("please\r\n/caur hold lib32-gtk+*2".replace("*", ""), ("lib32-gtk+2",), ""),
        ("   /caur hold a", ("a",), ""),
    ],
)
def test_a_command(text: str, packages: tuple[str, ...], reason: str) -> None:
    assert commands_in(text) == [Command(verb=Verb.HOLD, packages=packages, reason=reason)]


def test_several_in_their_order_each_once() -> None:
    text = "/caur retry a\nand then\n/caur bump b\n\n/caur retry a\n/caur why c"
    assert verbs(text) == ["retry", "bump", "why"]


@pytest.mark.parametrize(
    "text",
    [
        "```\n/caur hold a\n```",
        "~~~~ log\n/caur hold a\n~~~\n/caur hold b\n~~~~",
        "```\n/caur hold a",
        "    /caur hold a",
        "\t/caur hold a",
        "> /caur hold a",
        "> she said\n/caur hold a",
        ">>>\n/caur hold a\n\n/caur hold b\n>>>",
        ">>>\n/caur hold a",
        "- /caur hold a",
        "- item\n  /caur hold a",
        "`code\n/caur hold a\n`",
        "<!--\n/caur hold a\n-->",
        "text <!--\n/caur hold a\n-->",
        "<pre>\n/caur hold a\n</pre>",
        "see /caur hold a",
        "\\/caur hold a",
        "&#47;caur hold a",
        "/caurx hold a",
        "# /caur hold a\n",
        "| a |\n|-|\n| /caur hold a |",
    ],
)
def test_what_is_quoted_shown_or_mentioned_is_no_command(text: str) -> None:
    assert verbs(text) == []


def test_after_a_quote_or_code_there_are_commands_again() -> None:
    quoted = "> /caur hold a\n\n```\n/caur hold b\n```\n>>>\n/caur hold c\n>>>\n"
    assert commands_in(f"{quoted}/caur retry d") == [Command(verb=Verb.RETRY, packages=("d",))]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/caur retyr a", "Did you mean retry?"),
        ("/caur", "it is one of retry, bump, hold, unhold, why"),
        ("/caur drop a", "it is one of retry, bump, hold, unhold, why"),
        ("/caur hold", "it names no package"),
        ("/caur hold : because", "it names no package"),
        ("/caur hold ../a", "no package can be called '../a'"),
        ("/caur hold -rf", "no package can be called '-rf'"),
        ("/caur hold a/b", "no package can be called 'a/b'"),
    ],
)
def test_what_is_not_understood_is_told(text: str, told: str) -> None:
    assert problem(text) == told


def test_there_are_limits() -> None:
    many = "\n".join(f"/caur retry p{number}" for number in range(MOST_COMMANDS + 5))
    *done, left = commands_in(many)
    assert len(done) == MOST_COMMANDS
    assert isinstance(left, Misunderstood)
    names = " ".join(f"p{number}" for number in range(MOST_PACKAGES + 1))
    assert "no more than" in problem(f"/caur retry {names}")
    assert commands_in("x" * 30_000 + "\n/caur retry a") == []
    (long,) = commands_in("/caur hold a: " + "x" * 5000)
    assert isinstance(long, Command)
    assert len(long.reason) == 300


@settings(max_examples=20)
@given(st.text(alphabet="`~> -\n\t<!/aur", max_size=60), st.sampled_from(["```", "~~~"]))
def test_code_of_anybody_orders_nothing(code: str, fence: str) -> None:
    """Whatever a log says, as long as it does not end the block that it is pasted into."""
    lines = [line for line in code.split("\n") if not line.strip().startswith(fence)]
    text = "\n".join([f"{fence}{fence[0]}", *lines, "/caur retry a", f"{fence}{fence[0]}"])
    assert commands_in(text) == []
