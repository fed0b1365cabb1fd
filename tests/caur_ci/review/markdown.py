"""A small reader of Markdown: what is left when all code is taken out."""

from __future__ import annotations

import re


def outside_of_code(description: str) -> list[str]:
    """Return the lines of a description without blocks and spans of code, numbers and addresses.

    Blocks as CommonMark has them: a fence is closed by one of the same kind that is not shorter.
    """
    left: list[str] = []
    fence = ""
    for line in description.split("\n"):
        found = re.match(r" {0,3}(`{3,}|~{3,})(.*)$", line)
        if fence:
            if found and found[1].startswith(fence) and not found[2].strip():
                fence = ""
            continue
        if found and not (found[1][0] == "`" and "`" in found[2]):
            fence = found[1]
            continue
        spans = re.sub(r"(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)", "CODE", line)
        left.append(re.sub(r"\([^()]*\)|[0-9a-f]{64}", "", spans))
    return left
