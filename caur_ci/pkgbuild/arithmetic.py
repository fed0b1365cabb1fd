"""Bash's arithmetic: 64-bit integers, as in `$((…))`, `((…))` and the indices of arrays."""

from __future__ import annotations

import operator
import re
from itertools import pairwise
from typing import TYPE_CHECKING

from caur_ci.pkgbuild.values import UnsureError

if TYPE_CHECKING:
    from collections.abc import Callable

    from caur_ci.pkgbuild.values import Budget

_TOKEN = re.compile(
    r"\s*(?:(?P<number>0[xX][0-9A-Fa-f]+|[0-9]+(?:#[0-9A-Za-z@_]+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<operator>\*\*|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%<>!~&|^?:()]))"
)
_LIMIT = 1 << 64
_DEEPEST = 30
_MOST_DIGITS = 25
_OPEN = "("


def evaluate_arithmetic(text: str, lookup: Callable[[str], str], budget: Budget) -> int:
    """Return the value of an expression without assignments.

    `lookup` gives the text of a variable. Raises UnsureError for everything else.
    """
    return _Expression(text, lookup, budget, 0).value()


class _Expression:
    def __init__(self, text: str, lookup: Callable[[str], str], budget: Budget, depth: int) -> None:
        if depth > _DEEPEST:
            raise UnsureError("an arithmetic expression that refers to itself")
        self._lookup = lookup
        self._budget = budget
        self._depth = depth
        self._tokens = _tokens(text, budget)
        self._at = 0

    def value(self) -> int:
        if not self._tokens:
            return 0
        value = self._choice()
        if self._at != len(self._tokens):
            raise UnsureError("an arithmetic expression that is not modelled")
        return value

    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _accept(self, *tokens: str) -> str:
        token = self._next()
        if token in tokens:
            self._at += 1
            return token
        return ""

    def _choice(self) -> int:
        value = self._level(0)
        if not self._accept("?"):
            return value
        yes = self._nested()
        if not self._accept(":"):
            raise UnsureError("an arithmetic expression that is not modelled")
        no = self._nested()
        return yes if value else no

    def _nested(self) -> int:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise UnsureError("an arithmetic expression of too many levels")
        value = self._choice()
        self._depth -= 1
        return value

    def _level(self, level: int) -> int:
        if level == len(_LEVELS):
            return self._power()
        value = self._level(level + 1)
        while token := self._accept(*_LEVELS[level]):
            self._budget.step()
            value = _wrapped(_LEVELS[level][token](value, self._level(level + 1)))
        return value

    def _power(self) -> int:
        base = self._unary()
        if not self._accept("**"):
            return base
        exponent = self._power_operand()
        if exponent < 0:
            raise UnsureError("a negative exponent")
        return _wrapped(pow(base, exponent, _LIMIT))

    def _power_operand(self) -> int:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise UnsureError("an arithmetic expression of too many levels")
        return self._power()

    def _unary(self) -> int:
        signs = []
        while token := self._accept("-", "+", "!", "~"):
            signs.append(token)
        value = self._operand()
        for sign in reversed(signs):
            if sign == "-":
                value = -value
            elif sign == "!":
                value = int(not value)
            elif sign == "~":
                value = ~value
        return _wrapped(value)

    def _operand(self) -> int:
        token = self._next()
        self._at += 1
        if token == _OPEN:
            value = self._nested()
            if not self._accept(")"):
                raise UnsureError("an arithmetic expression that is not modelled")
            return value
        if token[:1].isdigit():
            return _number(token)
        if token[:1].isalpha() or token[:1] == "_":
            inner = _Expression(self._lookup(token), self._lookup, self._budget, self._depth + 1)
            return inner.value()
        raise UnsureError("an arithmetic expression that is not modelled")


def _tokens(text: str, budget: Budget) -> list[str]:
    found: list[str] = []
    at, text = 0, text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        budget.step()
        if match is None:
            raise UnsureError("an arithmetic expression that is not modelled")
        found.append(match[match.lastgroup or 0])
        at = match.end()
    # ++ and -- assign.
    for first, second in pairwise(found):
        if first == second and first in {"+", "-"}:
            raise UnsureError("an arithmetic expression that is not modelled")
    return found


def _number(token: str) -> int:
    if len(token) > _MOST_DIGITS:
        raise UnsureError("a number of too many digits")
    try:
        if token.lower().startswith("0x"):
            return _wrapped(int(token, 16))
        base, separator, digits = token.partition("#")
        if separator:
            if int(base) > 36:
                raise UnsureError("a number of this base")
            return _wrapped(int(digits, int(base)))
        return _wrapped(int(token, 8 if token.startswith("0") else 10))
    except ValueError as error:
        raise UnsureError(f"{token} is no number") from error


def _wrapped(value: int) -> int:
    value %= _LIMIT
    return value - _LIMIT if value >= _LIMIT >> 1 else value


def _divide(first: int, second: int) -> int:
    if second == 0:
        raise UnsureError("a division by zero")
    quotient = abs(first) // abs(second)
    return quotient if (first < 0) == (second < 0) else -quotient


def _remainder(first: int, second: int) -> int:
    return first - second * _divide(first, second)


# From the loosest to the tightest.
_LEVELS: tuple[dict[str, Callable[[int, int], int]], ...] = (
    {"||": lambda a, b: int(bool(a or b))},
    {"&&": lambda a, b: int(bool(a and b))},
    {"|": operator.or_},
    {"^": operator.xor},
    {"&": operator.and_},
    {"==": lambda a, b: int(a == b), "!=": lambda a, b: int(a != b)},
    {
        "<": lambda a, b: int(a < b),
        ">": lambda a, b: int(a > b),
        "<=": lambda a, b: int(a <= b),
        ">=": lambda a, b: int(a >= b),
    },
    {"<<": lambda a, b: a << (b & 63), ">>": lambda a, b: a >> (b & 63)},
    {"+": operator.add, "-": operator.sub},
    {"*": operator.mul, "/": _divide, "%": _remainder},
)
