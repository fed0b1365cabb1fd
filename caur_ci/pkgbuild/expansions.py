"""What bash makes of a word: braces, parameters, splitting into fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from caur_ci.pkgbuild.arithmetic import evaluate_arithmetic
from caur_ci.pkgbuild.braces import expand_braces
from caur_ci.pkgbuild.fields import as_fields
from caur_ci.pkgbuild.parameters import changed, part_of, part_of_list
from caur_ci.pkgbuild.patterns import Pattern
from caur_ci.pkgbuild.values import Array, LostError, UnsureError
from caur_ci.pkgbuild.words import Arithmetic, Command, Literal, Parameter, Word

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from tree_sitter import Node

    from caur_ci.pkgbuild.state import State
    from caur_ci.pkgbuild.values import Budget

_DEFAULTS = frozenset({"-", ":-", "=", ":=", "?", ":?", "+", ":+"})


class Piece(NamedTuple):
    """A piece of text; `splits` where white space in it parts fields."""

    text: str
    quoted: bool
    splits: bool
    # It stands for all elements of an array that has none.
    is_none: bool = False


# None stands between two elements of an array.
_Pieces = list[Piece | None]


class Shell(Protocol):
    """What an expansion asks of the shell."""

    state: State
    budget: Budget
    files: Collection[str] | None
    line: int

    def capture(self, node: Node) -> str:
        """Return what the command in `$(…)` writes."""

    def set_default(self, name: str, value: str) -> None:
        """Set a variable, as `${name:=value}` does."""


class Expander:
    """Expands words in a shell. Every method raises UnsureError where the result is not known."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def text(self, word: Word) -> str:
        """Return what a word stands for where it is not split, as in an assignment."""
        if word and isinstance(word[0], Literal) and not word[0].quoted:
            _check_tilde(word[0].text)
        pieces = self._pieces(word)
        return self._counted("".join(" " if piece is None else piece.text for piece in pieces))

    def fields(self, words: Iterable[Word]) -> list[str]:
        """Return the fields that words stand for, as for the elements of an array."""
        found: list[str] = []
        for word in words:
            for single in expand_braces(word, self._shell.budget):
                if single and isinstance(single[0], Literal) and not single[0].quoted:
                    _check_tilde(single[0].text)
                found += as_fields(self._pieces(single), self._ifs(), self._shell)
        return found

    def pattern(self, word: Word) -> Pattern:
        """Return the pattern that a word stands for."""
        pieces = self._pieces(word)
        return Pattern.of((" ", True) if piece is None else piece[:2] for piece in pieces)

    def arithmetic(self, word: Word) -> int:
        """Return the value of an arithmetic expression."""
        return evaluate_arithmetic(
            self.text(word).replace('"', ""), self._number_text, self._shell.budget
        )

    def _number_text(self, name: str) -> str:
        value = self._shell.state.value(name)
        return (value.get(0) if isinstance(value, Array) else value) or ""

    def _counted(self, text: str) -> str:
        self._shell.budget.made(len(text))
        return text

    def _ifs(self) -> str:
        value = self._shell.state.value("IFS")
        if isinstance(value, Array):
            raise UnsureError("IFS is an array")
        return " \t\n" if value is None else value

    def _pieces(self, word: Word, *, splits: bool = False) -> _Pieces:
        pieces: _Pieces = []
        for part in word:
            self._shell.budget.step()
            if isinstance(part, Literal):
                pieces.append(Piece(part.text, part.quoted, splits and not part.quoted))
            elif isinstance(part, Parameter):
                pieces += self._parameter(part)
            elif isinstance(part, Arithmetic):
                number = str(self.arithmetic(part.expression))
                pieces.append(Piece(number, part.quoted, not part.quoted))
            elif isinstance(part, Command):
                text = self._counted(self._shell.capture(part.node).rstrip("\n"))
                pieces.append(Piece(text, part.quoted, not part.quoted))
        return pieces

    def _parameter(self, part: Parameter) -> _Pieces:
        if part.indirect:
            return self._indirect(part)
        if part.name in {"@", "*"} and part.index is None:
            return self._list(part, self._positional(), part.name, first=1)
        if isinstance(part.index, str):
            value = self._shell.state.value(part.name)
            items = Array.of([value]) if isinstance(value, str) else value or Array()
            return self._list(part, items, part.index)
        return self._single(part, self._one(part))

    def _indirect(self, part: Parameter) -> _Pieces:
        if isinstance(part.index, str) and not part.operator:
            value = self._shell.state.value(part.name)
            items = Array.of([value]) if isinstance(value, str) else value or Array()
            keys = Array.of(str(index) for index, _ in items.items)
            return self._shown(part, list(keys.values), part.index)
        if part.index is not None:
            raise UnsureError("an indirect expansion that is not modelled")
        name = self._one(part)
        if not name or not name.isascii() or not name.isidentifier():
            raise UnsureError("an indirect expansion that is not modelled")
        return self._parameter(
            Parameter(name, part.quoted, None, False, False, part.operator, part.operands)
        )

    def _positional(self) -> Array:
        if self._shell.state.positional is None:
            raise UnsureError("the arguments of makepkg")
        return Array.of(self._shell.state.positional)

    def _one(self, part: Parameter) -> str | None:
        """Return the value of one variable, or of one element; None where it is not set."""
        name = part.name
        if name.isdigit():
            at = int(name[:9])
            if at == 0:
                raise UnsureError("the name of the program")
            return self._positional().get(at - 1)
        if not (name[0].isalpha() or name[0] == "_"):
            return self._special(name)
        value = self._shell.state.value(name)
        index = 0 if part.index is None else self._index(part.index)
        if isinstance(value, Array):
            return value.get(index)
        return value if index in {0, -1} else None

    def _index(self, index: Word | str) -> int:
        if isinstance(index, str):
            raise UnsureError("an index that is not modelled")
        return self.arithmetic(index)

    def _special(self, name: str) -> str:
        if name == "?" and self._shell.state.status is not None:
            return str(self._shell.state.status)
        if name == "#":
            return str(len(self._positional().items))
        raise UnsureError(f"the value of ${name}")

    def _single(self, part: Parameter, value: str | None) -> _Pieces:
        if part.length and (value is not None or not self._shell.state.nounset):
            return [Piece(str(len(_measurable(value or ""))), part.quoted, not part.quoted)]
        if part.operator in _DEFAULTS:
            given = value is not None and (value != "" or part.operator[0] != ":")
            default = self._default(part, given=given)
            if default is not None:
                return default
        elif value is None and self._shell.state.nounset:
            raise LostError(f"{part.name} is not set", self._shell.line)
        elif part.operator == ":":
            value = part_of(_measurable(value or ""), self._places(part))
        elif part.operator:
            value = self._changed(part, [value or ""])[0]
        return [Piece(self._counted(value or ""), part.quoted, not part.quoted)]

    def _list(self, part: Parameter, items: Array, which: str, first: int = 0) -> _Pieces:
        if part.length:
            return [Piece(str(len(items.items)), part.quoted, not part.quoted)]
        values = list(items.values)
        if part.operator in _DEFAULTS:
            given = bool(values) and (" ".join(values) != "" or part.operator[0] != ":")
            default = self._default(part, given=given)
            if default is not None:
                return default
        elif part.operator == ":":
            values = part_of_list(items, self._places(part), first)
        elif part.operator:
            values = self._changed(part, values)
        return self._shown(part, values, which)

    def _shown(self, part: Parameter, values: list[str], which: str) -> _Pieces:
        if which == "*" and part.quoted:
            return [Piece(self._counted(self._ifs()[:1].join(values)), quoted=True, splits=False)]
        if which == "*" and self._ifs()[:1] != " ":
            raise UnsureError("elements joined by another IFS")
        pieces: _Pieces = []
        self._shell.budget.step(len(values))
        if not values and part.quoted:
            return [Piece("", quoted=False, splits=False, is_none=True)]
        for value in values:
            if pieces:
                pieces.append(None)
            pieces.append(Piece(self._counted(value), part.quoted, not part.quoted))
        return pieces

    def _default(self, part: Parameter, *, given: bool) -> _Pieces | None:
        """Return what stands for the value, or None where the value itself does."""
        operator = part.operator[-1]
        if operator == "+":
            if not given:
                return [Piece("", part.quoted, not part.quoted)]
            return self._pieces(part.operands[0], splits=not part.quoted)
        if given:
            return None
        if operator == "-":
            return self._pieces(part.operands[0], splits=not part.quoted)
        if operator == "?" or part.index is not None or not part.name.isidentifier():
            raise UnsureError(f"{part.name} is not set")
        text = self.text(part.operands[0])
        self._shell.set_default(part.name, text)
        return [Piece(text, part.quoted, not part.quoted)]

    def _places(self, part: Parameter) -> list[int]:
        return [self.arithmetic(word) for word in part.operands]

    def _changed(self, part: Parameter, values: list[str]) -> list[str]:
        """Apply an operator with a pattern to each of `values`."""
        pattern = self.pattern(part.operands[0])
        replacement: tuple[str, ...] = ("",)
        if part.operator[0] == "/":
            pieces = [
                piece or Piece(" ", quoted=True, splits=False)
                for piece in self._pieces(part.operands[1])
            ]
            replacement = _replacement(pieces)
        budget = self._shell.budget
        return [
            self._counted(changed(value, part.operator, pattern, replacement, budget))
            for value in values
        ]


def _replacement(pieces: Iterable[Piece]) -> tuple[str, ...]:
    """Return the texts that stand between what was found: since bash 5.2 `&` stands for that."""
    parts = [""]
    for piece in pieces:
        if piece.quoted:
            parts[-1] += piece.text
        elif "\\" in piece.text:
            raise UnsureError("a backslash in a replacement")
        else:
            first, *others = piece.text.split("&")
            parts[-1] += first
            parts += others
    return tuple(parts)


def _measurable(text: str) -> str:
    """Return text whose characters can be counted."""
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise UnsureError("the length of text that is not UTF-8")
    return text


def _check_tilde(text: str) -> None:
    if text.startswith("~") or (":~" in text and "=" not in text.partition(":~")[0]):
        raise UnsureError("a home folder")
