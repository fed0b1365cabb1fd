"""Bash's patterns (`*`, `?`, `[…]`), matched by following all possibilities at once.

The time is bounded by the lengths of pattern and text, whatever the pattern.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.pkgbuild.values import UnsureError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from caur_ci.pkgbuild.values import Budget

_EXTENDED = re.compile(r"[?*+@!]\(")
_CLASS = re.compile(r"\[:([a-z]+):\]")
_LONGEST = 20_000
_CLASSES = {
    "alnum": "A-Za-z0-9",
    "alpha": "A-Za-z",
    "blank": " \t",
    "digit": "0-9",
    "lower": "a-z",
    "punct": "!-/:-@[-`{-~",
    "space": " \t\n\v\f\r",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}


@dataclass(frozen=True, slots=True)
class _Set:
    """`[…]`: the characters, as ranges."""

    ranges: tuple[tuple[str, str], ...]
    negated: bool
    # A class such as [:alpha:] depends on the language for other characters.
    ascii_only: bool

    def matches(self, char: str) -> bool:
        if self.ascii_only and not char.isascii():
            raise UnsureError("a character class on other than ASCII")
        return any(low <= char <= high for low, high in self.ranges) != self.negated


@dataclass(frozen=True, slots=True)
class _Char:
    char: str

    def matches(self, char: str) -> bool:
        return char == self.char


class _Any:
    def matches(self, char: str) -> bool:  # noqa: ARG002 - every character
        return True


@dataclass(frozen=True, slots=True)
class _Star:
    pass


_Token = _Set | _Char | _Any | _Star


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern, made of pieces of text that are quoted or not."""

    tokens: tuple[_Token, ...]

    @classmethod
    def of(cls, pieces: Iterable[tuple[str, bool]]) -> Pattern:
        """Read a pattern; of each piece it is told whether it is quoted.

        Raises UnsureError for extended patterns, and where brackets are not plain.
        """
        return cls(tuple(_tokens(list(pieces))))

    def matches(self, text: str, budget: Budget) -> bool:
        """Tell whether the whole of `text` matches."""
        return len(text) in _ends(self.tokens, text, budget)

    def prefix(self, text: str, budget: Budget, *, longest: bool) -> int | None:
        """Return the length of the longest or shortest beginning of `text` that matches."""
        ends = _ends(self.tokens, text, budget)
        return (max(ends) if longest else min(ends)) if ends else None

    def suffix(self, text: str, budget: Budget, *, longest: bool) -> int | None:
        """Return the length of the longest or shortest end of `text` that matches."""
        ends = _ends(self.tokens[::-1], text[::-1], budget)
        return (max(ends) if longest else min(ends)) if ends else None

    def spans(self, text: str, budget: Budget, *, once: bool) -> list[tuple[int, int]]:
        """Return where the pattern matches in `text`, each as long as can be, from the left."""
        found: list[tuple[int, int]] = []
        at = 0
        while at < len(text):
            length = self.prefix(text[at:], budget, longest=True)
            if not length:
                at += 1
                continue
            found.append((at, at + length))
            if once:
                break
            at += length
        return found


def _ends(tokens: Sequence[_Token], text: str, budget: Budget) -> set[int]:
    """Return the lengths of all beginnings of `text` that match.

    `states` are the numbers of the tokens that may come next.
    """
    if len(text) > _LONGEST:
        raise UnsureError("a pattern on very long text")
    final = len(tokens)
    states = _with_stars({0}, tokens)
    ends = {0} if final in states else set()
    for index, char in enumerate(text):
        budget.step(1 + len(states) // 8)
        following = set()
        for state in states:
            if state == final:
                continue
            token = tokens[state]
            if isinstance(token, _Star):
                following.add(state)
            elif token.matches(char):
                following.add(state + 1)
        if not following:
            break
        states = _with_stars(following, tokens)
        if final in states:
            ends.add(index + 1)
    return ends


def _with_stars(states: set[int], tokens: Sequence[_Token]) -> set[int]:
    """Add what comes behind stars, which may stand for nothing."""
    for state in tuple(states):
        at = state
        while at < len(tokens) and isinstance(tokens[at], _Star):
            at += 1
            states.add(at)
    return states


def _tokens(pieces: list[tuple[str, bool]]) -> list[_Token]:
    chars = [(char, quoted) for text, quoted in pieces for char in text]
    plain = "".join("\0" if quoted else char for char, quoted in chars)
    if _EXTENDED.search(plain):
        raise UnsureError("an extended pattern")
    tokens: list[_Token] = []
    at = 0
    while at < len(chars):
        char, quoted = chars[at]
        if quoted or char not in "*?[\\":
            tokens.append(_Char(char))
        elif char == "*":
            if not tokens or not isinstance(tokens[-1], _Star):
                tokens.append(_Star())
        elif char == "?":
            tokens.append(_Any())
        elif char == "\\":
            # It comes from a variable, where it quotes what follows.
            raise UnsureError("a backslash in a pattern")
        else:
            token, at = _bracket(chars, plain, at)
            tokens.append(token)
            continue
        at += 1
    return tokens


def _bracket(chars: list[tuple[str, bool]], plain: str, at: int) -> tuple[_Token, int]:
    """Read what begins with `[`; return it and the place behind it."""
    start = at
    at += 1
    negated = plain[at : at + 1] in {"!", "^"}
    at += negated
    ranges: list[tuple[str, str]] = []
    classes, first = False, True
    while at < len(chars) and (plain[at] != "]" or first):
        first = False
        if match := _CLASS.match(plain, at):
            ranges += _ranges_of(match[1])
            classes = True
            at = match.end()
        elif plain.startswith(("[.", "[=", "[:"), at):
            raise UnsureError("a bracket expression that is not modelled")
        else:
            low = high = chars[at][0]
            at += 1
            if plain[at : at + 1] == "-" and plain[at + 1 : at + 2] not in {"]", ""}:
                high = chars[at + 1][0]
                at += 2
            ranges.append((low, high))
    if at >= len(chars):
        if "/" in plain[start:] or len(plain) > start + 1:
            raise UnsureError("a bracket that is not closed")
        return _Char("["), start + 1
    return _Set(tuple(ranges), negated, classes), at + 1


def _ranges_of(name: str) -> list[tuple[str, str]]:
    if name not in _CLASSES:
        raise UnsureError(f"the character class {name}")
    text = _CLASSES[name]
    ranges = []
    at = 0
    while at < len(text):
        if text[at + 1 : at + 2] == "-":
            ranges.append((text[at], text[at + 2]))
            at += 3
        else:
            ranges.append((text[at], text[at]))
            at += 1
    return ranges
