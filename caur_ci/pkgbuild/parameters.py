"""The operators of `${…}` on text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.pkgbuild.values import UnsureError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caur_ci.pkgbuild.patterns import Pattern
    from caur_ci.pkgbuild.values import Array, Budget


def part_of(text: str, places: Sequence[int]) -> str:
    """Return `${text:offset:length}`; a negative length counts from the end. Raises UnsureError."""
    start, length = _start(places[0], len(text)), _length(places)
    if start is None:
        return ""
    end = len(text) if length is None else start + length
    if length is not None and length < 0:
        end = len(text) + length
        if end < start:
            raise UnsureError("a part that ends before it begins")
    return text[start:end]


def part_of_list(items: Array, places: Sequence[int], first: int = 0) -> list[str]:
    """Return the elements of `${array[@]:offset:length}`; indices are counted from `first`.

    Raises UnsureError.
    """
    end = items.items[-1][0] + 1 + first if items.items else first
    start, length = places[0], _length(places)
    if start < 0:
        start += end
    if start < first or (length is not None and length < 0):
        raise UnsureError("a part of an array that is not modelled")
    found = [value for index, value in items.items if index + first >= start]
    return found if length is None else found[:length]


def changed(
    text: str, operator: str, pattern: Pattern, replacement: Sequence[str], budget: Budget
) -> str:
    """Return `text` with an operator applied that has a pattern.

    What is found stands between each two of the parts of `replacement`.

    Raises UnsureError.
    """
    if operator[0] in "^,":
        return _in_case(text, operator, pattern)
    if operator[0] in "#%":
        return _shortened(text, operator, pattern, budget)
    if operator in {"/#", "/%"}:
        return _replaced(text, _span_at(text, operator, pattern, budget), replacement, budget)
    if operator not in {"/", "//"}:
        raise UnsureError(f"the operator {operator}")
    spans = pattern.spans(text, budget, once=operator == "/")
    return _replaced(text, spans, replacement, budget)


def _shortened(text: str, operator: str, pattern: Pattern, budget: Budget) -> str:
    longest = len(operator) == 2
    if operator[0] == "#":
        return text[pattern.prefix(text, budget, longest=longest) or 0 :]
    return text[: len(text) - (pattern.suffix(text, budget, longest=longest) or 0)]


def _span_at(text: str, operator: str, pattern: Pattern, budget: Budget) -> list[tuple[int, int]]:
    """Return where the pattern matches at the beginning or the end; at most one place."""
    if operator == "/#":
        length = pattern.prefix(text, budget, longest=True)
        return [] if length is None else [(0, length)]
    length = pattern.suffix(text, budget, longest=True)
    return [] if length is None else [(len(text) - length, len(text))]


def _filled(found: str, replacement: Sequence[str], budget: Budget) -> str:
    """Return the replacement of what was found, which stands between the parts of it."""
    budget.made(len(found) * (len(replacement) - 1))
    return found.join(replacement)


def _replaced(
    text: str, spans: Sequence[tuple[int, int]], replacement: Sequence[str], budget: Budget
) -> str:
    budget.made(len(spans) * sum(map(len, replacement)))
    made: list[str] = []
    at = 0
    for start, end in spans:
        made += (text[at:start], _filled(text[start:end], replacement, budget))
        at = end
    return "".join((*made, text[at:]))


def _in_case(text: str, operator: str, pattern: Pattern) -> str:
    if pattern.tokens:
        raise UnsureError("a change of case with a pattern")
    if not text.isascii():
        raise UnsureError("a change of case on other than ASCII")
    change = str.upper if operator[0] == "^" else str.lower
    return change(text) if len(operator) == 2 else change(text[:1]) + text[1:]


def _start(offset: int, length: int) -> int | None:
    if offset < 0:
        offset += length
    return offset if 0 <= offset <= length else None


def _length(places: Sequence[int]) -> int | None:
    return places[1] if len(places) > 1 else None
