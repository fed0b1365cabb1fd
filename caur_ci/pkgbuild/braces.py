"""Brace expansion: `{a,b}` and `{1..5}`, which comes before every other expansion."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from caur_ci.pkgbuild.values import UnsureError
from caur_ci.pkgbuild.words import Literal, Parameter, Part, Word

if TYPE_CHECKING:
    from caur_ci.pkgbuild.values import Budget

_NUMBERS = re.compile(r"(-?[0-9]{1,9})\.\.(-?[0-9]{1,9})(?:\.\.(-?[0-9]{1,9}))?")
_LETTERS = re.compile(r"([A-Za-z])\.\.([A-Za-z])")
_MOST = 10_000
_DEEPEST = 20

# One character of text that is not quoted, or a part that is not looked into.
_Atom = str | Part


def expand_braces(word: Word, budget: Budget) -> list[Word]:
    """Return the words that `word` stands for; as a rule that is `word` alone."""
    if not any(isinstance(part, Literal) and not part.quoted and "{" in part.text for part in word):
        return [word]
    atoms: list[_Atom] = []
    for part in word:
        if isinstance(part, Literal) and not part.quoted:
            atoms += part.text
        else:
            atoms.append(part)
    budget.step(len(atoms))
    return [_as_word(words) for words in _expand(atoms, budget, 0)]


def _as_word(atoms: list[_Atom]) -> Word:
    for first, second in pairwise(atoms):
        # `{$a,x}b` makes `$ab` and `xb`.
        grows = first == "$" or (isinstance(first, Parameter) and first.bare and not first.quoted)
        if grows and (not isinstance(second, str) or second.isalnum() or second in "_[{"):
            raise UnsureError("braces that make another expansion")
    parts: list[Part] = []
    text: list[str] = []
    for atom in [*atoms, None]:
        if isinstance(atom, str):
            text.append(atom)
            continue
        if text:
            parts.append(Literal("".join(text)))
            text.clear()
        if atom is not None:
            parts.append(atom)
    return tuple(parts)


def _expand(atoms: list[_Atom], budget: Budget, depth: int) -> list[list[_Atom]]:
    """Return what the first group of braces that is one, and all behind it, stand for."""
    if depth > _DEEPEST:
        raise UnsureError("too many braces")
    for start, atom in enumerate(atoms):
        if atom != "{":
            continue
        end, commas = _group(atoms, start, budget)
        if end is None:
            continue
        choices = _choices(atoms[start + 1 : end], [at - start - 1 for at in commas], budget, depth)
        if choices is None:
            continue
        rest = _expand(atoms[end + 1 :], budget, depth + 1)
        if len(choices) * len(rest) > _MOST:
            raise UnsureError("braces that stand for too many words")
        budget.made(len(choices) * len(rest) * (len(atoms) + 1))
        return [[*atoms[:start], *choice, *tail] for choice in choices for tail in rest]
    return [atoms]


def _group(atoms: list[_Atom], start: int, budget: Budget) -> tuple[int | None, list[int]]:
    """Return where the group that begins at `start` ends, and where its own commas are."""
    level = 0
    commas: list[int] = []
    budget.step(len(atoms) - start)
    for at in range(start, len(atoms)):
        atom = atoms[at]
        if atom == "{":
            level += 1
        elif atom == "}":
            level -= 1
            if level == 0:
                return at, commas
        elif atom == "," and level == 1:
            commas.append(at)
    return None, commas


def _choices(
    inner: list[_Atom], commas: list[int], budget: Budget, depth: int
) -> list[list[_Atom]] | None:
    if commas:
        places = [-1, *commas, len(inner)]
        parts = [inner[a + 1 : b] for a, b in pairwise(places)]
        return [choice for part in parts for choice in _expand(part, budget, depth + 1)]
    if any(atom == "{" for atom in inner):
        # Braces within braces that are none themselves; bash has rules of its own there.
        raise UnsureError("braces that are not modelled")
    text = "".join(atom for atom in inner if isinstance(atom, str))
    return _sequence(text) if len(text) == len(inner) else None


def _sequence(text: str) -> list[list[_Atom]] | None:
    if ".." not in text:
        return None
    if match := _NUMBERS.fullmatch(text):
        first, last = int(match[1]), int(match[2])
        step = abs(int(match[3])) if match[3] else 1
        return [list(number) for number in _numbers(match[1], match[2], first, last, step or 1)]
    if match := _LETTERS.fullmatch(text):
        first, last = ord(match[1]), ord(match[2])
        if match[1].islower() != match[2].islower():
            raise UnsureError("a sequence of letters that is not modelled")
        way = 1 if first <= last else -1
        return [[chr(code)] for code in range(first, last + way, way)]
    raise UnsureError("a sequence that is not modelled")


def _numbers(low: str, high: str, first: int, last: int, step: int) -> list[str]:
    if abs(last - first) // step >= _MOST:
        raise UnsureError("braces that stand for too many words")
    way = step if first <= last else -step
    numbers = range(first, last + (1 if way > 0 else -1), way)
    padded = any(re.match(r"-?0[0-9]", text) for text in (low, high))
    width = max(len(low), len(high)) if padded else 0
    return [f"{number:0{width}d}" for number in numbers]
