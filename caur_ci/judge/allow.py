"""What a repository's own expressions allow (`CI_PKGBUILD_CHANGE_ALLOW_REGEX`)."""

from __future__ import annotations

import difflib
import re
from functools import cache
from typing import TYPE_CHECKING

from caur_ci.judge.catalogue import finding
from caur_ci.judge.model import Severity
from caur_ci.judge.package import PKGBUILD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from caur_ci.judge.model import Finding

# An expression may take a time that doubles with each character of a line.
_LONGEST_LINE = 1000
_MOST_LINES = 5000


def allowed(
    findings: Iterable[Finding],
    expressions: tuple[str, ...],
    old: Sequence[str],
    new: Sequence[str],
) -> list[Finding]:
    """Return the findings, with notes in place of the warnings about lines that are allowed.

    A line is allowed to change where one expression matches the whole old and the whole new line. A
    danger stays a danger.
    """
    found = list(findings)
    patterns = _compiled(expressions)
    if not patterns or len(old) > _MOST_LINES or len(new) > _MOST_LINES:
        return found
    lines, others = set[int](), set[int]()
    for number, was, it in _changes(old, new):
        matches = was is not None and it is not None and _match(patterns, was, it)
        (lines if matches else others).add(number)
    return [
        finding("allowed", file=it.file, line=it.line, old=it.old, new=it.new, what=it.message)
        if it.severity is Severity.WARNING
        and it.file == PKGBUILD
        and it.line in lines
        and not others.intersection(_extent(it, new))
        else it
        for it in found
    ]


def _extent(found: Finding, lines: Sequence[str]) -> range:
    """Return the lines that a finding is about: of a function, all that is left of it."""
    if not found.code.startswith("function-"):
        return range(found.line, found.line + 1)
    ends = (at for at in range(found.line, len(lines) + 1) if lines[at - 1][:1] in {"}", ")"})
    return range(found.line, next(ends, len(lines)) + 1)


@cache
def _compiled(expressions: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    """Compile them; one that is none allows nothing."""
    compiled = []
    for expression in expressions:
        try:
            compiled.append(re.compile(expression))
        except re.error:
            continue
    return tuple(compiled)


def _changes(
    old: Sequence[str], new: Sequence[str]
) -> Iterator[tuple[int, str | None, str | None]]:
    """Yield the number of each line that changed, with what stood there and what does now.

    None where a line was put in, or taken out before that one, or several became another number.
    """
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for kind, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if kind == "equal":
            continue
        pairs = kind == "replace" and old_end - old_start == new_end - new_start
        for offset in range(max(new_end - new_start, 1)):
            was = old[old_start + offset] if pairs else None
            yield new_start + offset + 1, was, new[new_start + offset] if pairs else None


def _match(patterns: tuple[re.Pattern[str], ...], old: str, new: str) -> bool:
    if max(len(old), len(new)) > _LONGEST_LINE or not (_is_whole(old) and _is_whole(new)):
        return False
    return any(pattern.fullmatch(old) and pattern.fullmatch(new) for pattern in patterns)


def _is_whole(line: str) -> bool:
    """Tell whether what begins in a line ends there: what is behind it has not been looked at."""
    return (
        line.count("(") == line.count(")")
        and line.count("{") == line.count("}")
        and not line.endswith("\\")
        and line.count('"') % 2 == 0
        and line.count("'") % 2 == 0
    )
