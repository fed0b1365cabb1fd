"""The parts of a word of bash: plain text, parameters, commands, arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tree_sitter import Node


@dataclass(frozen=True, slots=True)
class Literal:
    """Text as it stands there. `tail` is what `$'…'` and backslashes have made of it."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """`$name` or `${…}`.

    `index` is `@` or `*` for all elements, a word for one of them, None where none is given.
    `bare` says that it is written without braces. `operator` is as written (`:-`, `##`, `//`, …),
    `:` for a part of the value; `length` stands for the `#` in front of a name.
    """

    name: str
    quoted: bool = False
    index: Word | str | None = None
    length: bool = False
    indirect: bool = False
    operator: str = ""
    operands: tuple[Word, ...] = ()
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """`$(…)`, with its node in the syntax tree."""

    node: Node
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`$((…))`, with the words that make the expression."""

    expression: Word
    quoted: bool = False


Part = Literal | Parameter | Command | Arithmetic
# `Any` stands for the part itself; a type cannot name itself here.
Word = tuple[Any, ...]
