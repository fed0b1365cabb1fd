"""Commands in comments: lines such as `/caur retry PACKAGE`, outside of quotes and code.

A comment is read as the forge shows it, so that a log or somebody else's words in it order nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from caur_ci.names import is_package_name, suggestion
from caur_ci.plaintext import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

PREFIX = "/caur"
# Of one comment; what is beyond is told, and not done.
MOST_COMMANDS, MOST_PACKAGES = 10, 20
_LONGEST_TEXT, _LONGEST_REASON = 20_000, 300
_COMMAND = re.compile(r"\s*/caur(?:\s+(?P<rest>.*))?", re.IGNORECASE | re.DOTALL)
_REASON = re.compile(r"\s*:\s*|\s--reason(?:=|\s+|$)")
# GitLab's quotes of several lines, which Markdown itself does not know.
_QUOTES = re.compile(r"^>>>[^\S\n]*$.*?(?:^>>>[^\S\n]*$|\Z)", re.MULTILINE | re.DOTALL)


class Verb(StrEnum):
    """What can be asked for."""

    RETRY = "retry"
    BUMP = "bump"
    HOLD = "hold"
    UNHOLD = "unhold"
    WHY = "why"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command. Names are those that packages can have; whether there are such is not known."""

    verb: Verb
    packages: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Misunderstood:
    """A command that cannot be done: the line, and what is wrong with it."""

    line: str
    problem: str


def is_addressed(text: str) -> bool:
    """Tell whether there may be a command in a comment, without reading it as a whole."""
    return PREFIX in text.lower()


def commands_in(text: str) -> list[Command | Misunderstood]:
    """Return the commands in a comment, in their order."""
    if not is_addressed(text):
        return []
    found: list[Command | Misunderstood] = []
    for line in _plain_lines(text):
        match = _COMMAND.fullmatch(line)
        if match is None:
            continue
        if len(found) == MOST_COMMANDS:
            problem = f"no more than {MOST_COMMANDS} commands of one comment are done"
            return [*found, Misunderstood(_told(line), problem)]
        command = _parsed(line, (match["rest"] or "").strip())
        if command not in found:
            found.append(command)
    return found


def _parsed(line: str, rest: str) -> Command | Misunderstood:
    word, _, arguments = rest.partition(" ")
    verb = next((it for it in Verb if it == word.lower()), None)
    if verb is None:
        near = suggestion(word.lower(), list(Verb)) if word else ""
        return Misunderstood(_told(line), near or f"it is one of {', '.join(Verb)}")
    named, *reason = _REASON.split(f" {arguments}", maxsplit=1)
    # With the quotes that people put around names.
    names = tuple(dict.fromkeys(it for it in re.split(r"[\s,`]+", named) if it))
    if not names:
        return Misunderstood(_told(line), "it names no package")
    if len(names) > MOST_PACKAGES:
        return Misunderstood(_told(line), f"no more than {MOST_PACKAGES} packages at a time")
    wrong = [name for name in names if not is_package_name(name)]
    if wrong:
        return Misunderstood(_told(line), f"no package can be called {wrong[0]!r}")
    return Command(
        verb=verb, packages=names, reason=one_line("".join(reason)).strip()[:_LONGEST_REASON]
    )


def _told(line: str) -> str:
    return one_line(line)[:100]


def _plain_lines(text: str) -> Iterator[str]:
    """Yield the lines of paragraphs that are not in quotes, lists and code."""
    from markdown_it import MarkdownIt  # noqa: PLC0415 - slow to import

    shown = text[:_LONGEST_TEXT].replace("\r\n", "\n")
    shown = _QUOTES.sub("\n", shown)
    # Without what would change names, or make a command of what was written not to be one.
    reader = MarkdownIt("commonmark").disable(
        ["escape", "entity", "emphasis", "link", "image", "autolink"]
    )
    for before, token in pairwise(reader.parse(shown)):
        if before.type == "paragraph_open" and before.level == 0:
            yield from _lines_of(token)


def _lines_of(paragraph: Token) -> Iterator[str]:
    line = ""
    for part in paragraph.children or ():
        if part.type in {"softbreak", "hardbreak"}:
            yield line
            line = ""
        elif part.type == "text":
            line += part.content
        else:  # code keeps its quotes; with them no line begins as a command does
            line += f"`{part.content}`"
    yield line
