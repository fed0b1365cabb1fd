"""What strangers wrote, made harmless for descriptions of merge and pull requests.

A description is read three times: as Markdown; line by line for commands of the forge (`/merge`);
and, where a project says so, it becomes the message of a merge commit, in which Markdown protects
nothing and `closes #1` or `[deploy all]` are obeyed. So all of it is shown as code, no line begins
with what a stranger wrote, and names and numbers that call somebody are parted by a character that
nobody sees.
"""

from __future__ import annotations

import re

from caur_ci.plaintext import one_line, printable

# Neither a letter nor a blank, and it has no width.
_JOINER = "\N{WORD JOINER}"
# Issues and requests by number, in words and in addresses; what asks for builds, or for none.
_NUMBERS_AND_ORDERS = (
    r"\bGH-(?=\d)|\b(?:issues|pull|work_items|merge_requests|epics)/(?=\d)"
    r"|\[(?=\s*(?:deploy|skip|ci|no|actions)\b)"
)
# People, issues, merge requests, epics, milestones, labels and snippets.
_CALLS = re.compile(rf"[@#!&%~$](?=\w)|{_NUMBERS_AND_ORDERS}", re.IGNORECASE)
# The same without what is in every other line of a PKGBUILD: `$pkgver`, `%s`, `!strip`.
_CALLS_IN_CODE = re.compile(rf"[@#](?=\w)|[!&%~$](?=\d)|{_NUMBERS_AND_ORDERS}", re.IGNORECASE)
_COMMAND = re.compile(r"^\s*(?=/)")
_CUT = "…"


def as_code(text: str, *, longest: int = 300) -> str:
    """Return `text` as code on one line, cut to `longest` characters; not for tables."""
    line = one_line(text)
    shown = line if len(line) <= longest else f"{line[:longest]}{_CUT}"
    if not shown:
        return ""
    shown = _CALLS.sub(rf"\g<0>{_JOINER}", shown)
    fence = "`" * (_longest_run(shown) + 1)
    padding = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{padding}{shown}{padding}{fence}"


def as_block(text: str, *, longest: int, language: str = "text") -> str:
    """Return `text` as a block of code of at most `longest` characters, whole lines of it.

    Each line begins with a blank unless it is of a diff: those begin with what the diff says.
    """
    lines: list[str] = []
    left = longest
    for line in printable(text).splitlines():
        shown = _CALLS_IN_CODE.sub(rf"\g<0>{_JOINER}", line)
        if language != "diff" or shown[:1] not in {" ", "+", "-"}:
            shown = f" {shown}"
        shown = _COMMAND.sub(rf"\g<0>{_JOINER}", shown)
        left -= len(shown) + 1
        if left < 0:
            break
        lines.append(shown)
    if not lines:
        return ""
    # Longer than any that could end it, though no line begins with one.
    fence = "`" * max(3, 1 + max(map(_longest_run, lines)))
    return "\n".join((f"{fence}{language}", *lines, fence))


def _longest_run(text: str) -> int:
    """Return how many backticks stand in a row."""
    return max(map(len, re.findall("`+", text)), default=0)
