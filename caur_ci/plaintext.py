"""Text from outside, made harmless for where it is shown.

Package names, versions and what tools say come from strangers. In a terminal they may hold control
sequences, in a pipeline's log commands to the forge, in Markdown links, pictures and mentions.
"""

from __future__ import annotations

import re
import unicodedata

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# Colours, cursor movements, and strings such as a window's title, up to their end.
_SEQUENCES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)")
_COLOURS = re.compile(r"(\x1b\[[0-9;]{0,40}m)")
# Control characters, those that change the direction of text, halves of characters.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# GitHub acts on `::command::` at the start of a line, blanks and colours aside, and on the older
# `##[command]` anywhere; GitLab on `section_start:TIME:NAME` and its end.
_ENDS = r"\n\r\v\f\x1c-\x1e\x85\u2028\u2029"
END_OF_LINE = re.compile(f"[{_ENDS}]")
_COMMANDS = re.compile(
    rf"(?:^|(?<=[{_ENDS}]))(?:[^\S{_ENDS}]|\x1b\[[0-?]*[ -/]*[@-~])*:(?=:)"
    r"|##(?=\[)|section_(?:start|end)(?=:)"
)
_CALLS = re.compile(r"[#@](?=\w)")
_JSON_COMMANDS = re.compile(r"##\[|section_(?:start|end):")
_MARKDOWN = re.compile(r"[\\`*_\[\]<>#!|~&@:$]|(?<=www)\.")
_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?:[/?#][!-~]*)?")
_URL_SPECIAL = re.compile(r"[\\<>()|`\"'*\[\]]")


def printable(text: str) -> str:
    """Return `text` with nothing in it that acts on a terminal, or on the log of a pipeline."""
    text = _SEQUENCES.sub("", text.replace("\r\n", "\n"))
    return without_commands("".join(char if _is_printable(char) else _REPLACEMENT for char in text))


def without_commands(text: str) -> str:
    """Return `text` with blanks in what a forge's log would take for its commands.

    What is laid out afterwards has to be defused again: folding makes new lines.
    """
    return _COMMANDS.sub(r"\g<0> ", text)


def json_without_commands(document: str) -> str:
    """Return a JSON document that says the same, without what a log would take for commands.

    Its lines begin with nothing of the kind; what is anywhere in a line is inside of a string.
    """
    return _JSON_COMMANDS.sub(lambda found: f"{found[0][:-1]}\\u{ord(found[0][-1]):04x}", document)


def in_message(text: str) -> str:
    """Return `text` on one line for a commit message, without words that anybody obeys.

    Brackets hold those of ours (`[deploy all]`) and of forges (`[skip ci]`); `#` and `@` those that
    close issues and call people.
    """
    text = one_line(text).replace("[", "(").replace("]", ")")
    return _CALLS.sub(r"\g<0> ", text)


def for_terminal(text: str) -> str:
    """Return `text` with its colours, and nothing else in it that acts on a terminal.

    For logs: lines that are written over, as by progress bars, stay as they are.
    """
    parts = _COLOURS.split(text.replace("\r\n", "\n"))
    for place in range(0, len(parts), 2):
        plain = _SEQUENCES.sub("", parts[place])
        parts[place] = "".join(
            char if char == "\r" or _is_printable(char) else _REPLACEMENT for char in plain
        )
    return "".join(parts)


def one_line(text: str) -> str:
    """Return `text` as `printable` does, on one line."""
    return printable(" ".join(text.split()))


def first_line(text: str) -> str:
    """Return the first line of `text`, as `printable` does."""
    return one_line(next(iter(text.splitlines()), ""))


def in_markdown(text: str) -> str:
    """Return `text` so that Markdown shows it, on one line, as it is; also in a table."""
    return _MARKDOWN.sub(r"\\\g<0>", one_line(text))


def code_in_markdown(text: str) -> str:
    """Return `text` as code, which Markdown finds no names and numbers of people or issues in."""
    text = one_line(text)
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    padding = " " if text.startswith("`") or text.endswith("`") else ""
    # Only in a table, where even code cannot hold it as it is.
    return f"{fence}{padding}{text}{padding}{fence}".replace("|", "\\|") if text else ""


def is_web_address(url: str) -> bool:
    """Tell whether `url` is a plain address on the web, without anybody's name in it."""
    return _URL.fullmatch(url) is not None


def link_in_markdown(label: str, url: str) -> str:
    """Return a link, or nothing where `url` is no plain web address."""
    if not is_web_address(url):
        return ""
    return f"[{in_markdown(label)}]({_URL_SPECIAL.sub(lambda m: f'%{ord(m[0]):02X}', url)})"


def _is_printable(char: str) -> bool:
    return char in "\n\t" or unicodedata.category(char) not in _UNPRINTABLE
