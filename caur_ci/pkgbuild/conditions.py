"""Conditions: `[[ … ]]`, `[ … ]` and `test`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from caur_ci.pkgbuild.syntax import line_of
from caur_ci.pkgbuild.values import UnsureError
from caur_ci.pkgbuild.wordlist import words_of
from caur_ci.pkgbuild.words import Literal, Word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tree_sitter import Node

    from caur_ci.pkgbuild.interpreter import Interpreter
    from caur_ci.pkgbuild.reading import WordReader

_NUMBERS = frozenset({"-eq", "-ne", "-lt", "-le", "-gt", "-ge"})
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_OPERATORS = ("==", "=~", "!=", "&&", "||", "=", "<", ">", "!", "(", ")")
_SETS = re.compile(r":?=[^=~ ][^}\n]*\}|\(\(|\[[^]]*(?:\+\+|--)")
_DEEPEST = 20
_FILE_TESTS = words_of("-a -b -c -d -e -f -g -h -k -p -r -s -t -u -w -x -G -L -N -O -S")
_PATTERN_OPERATORS = frozenset({"=", "==", "!="})


def test(shell: Interpreter, node: Node) -> None:
    """Follow `[[ … ]]` or `[ … ]`; the outcome is the exit code."""
    shell.line = line_of(node)
    try:
        outcome = _outcome(shell, node)
    except UnsureError as error:
        shell.forget_assigned(node, error)
        outcome = None
    shell.state.status = None if outcome is None else int(not outcome)


def _outcome(shell: Interpreter, node: Node) -> bool | None:
    if _SETS.search(shell.text_of(node)):
        # Which of its parts bash looks at decides what is set.
        raise UnsureError("a condition that sets something")
    opening = node.children[0].type
    if opening == "[[":
        reader = shell.reader(node)
        reader.position += 2
        reader.end -= 2
        return _Condition(shell, reader).value()
    if opening == "[":
        return _plain(shell, shell.expand.fields(_words(shell, node)))
    raise UnsureError("a condition that is not modelled")


def plain_test(shell: Interpreter, words: Sequence[str]) -> int | None:
    """Return the exit code of `test` with these arguments; None where it is not known."""
    try:
        outcome = _plain(shell, list(words))
    except UnsureError:
        return None
    return None if outcome is None else int(not outcome)


def _words(shell: Interpreter, node: Node) -> list[Word]:
    reader = shell.reader(node)
    reader.position += 1
    reader.end -= 1
    found = []
    reader.skip_blanks()
    while not reader.at_end():
        start = reader.position
        found.append(reader.word())
        if reader.position == start:
            raise UnsureError("a condition that is not modelled")
        reader.skip_blanks()
    return found


def _plain(shell: Interpreter, words: list[str]) -> bool | None:
    """Evaluate `test` by the number of its arguments, as POSIX says."""
    if len(words) <= 1:
        return words not in ([], [""])
    if words[0] == "!":
        outcome = _plain(shell, words[1:])
        return None if outcome is None else not outcome
    if len(words) == 2:
        return _unary(shell, words[0], words[1])
    return _of_several(shell, words)


def _of_several(shell: Interpreter, words: list[str]) -> bool | None:
    if len(words) == 3 and words[1] in _PATTERN_OPERATORS | _NUMBERS:
        return _binary(*words)
    for joint, combine in (("-o", _either), ("-a", _both)):
        if words.count(joint) == 1 and len(words) <= 7:
            at = words.index(joint)
            return combine(_plain(shell, words[:at]), _plain(shell, words[at + 1 :]))
    return None


def _binary(first: str, operator: str, second: str) -> bool:
    if operator in _NUMBERS:
        return _compare(operator, _integer(first), _integer(second))
    return (first == second) == (operator != "!=")


def _unary(shell: Interpreter, operator: str, text: str) -> bool | None:
    if operator == "-z":
        return text == ""
    if operator == "-n":
        return text != ""
    if operator == "-v":
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text):
            return None
        value = shell.state.value(text)
        return value is not None and (isinstance(value, str) or value.get(0) is not None)
    return None


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise UnsureError(f"{text[:40]!r} is no number")
    return int(text)


def _compare(operator: str, first: int, second: int) -> bool:
    sign = (first > second) - (first < second)
    return {
        "-eq": sign == 0,
        "-ne": sign != 0,
        "-lt": sign < 0,
        "-le": sign <= 0,
        "-gt": sign > 0,
        "-ge": sign >= 0,
    }[operator]


def _both(left: bool | None, right: bool | None) -> bool | None:
    if left is False or right is False:
        return False
    return None if left is None or right is None else True


def _either(left: bool | None, right: bool | None) -> bool | None:
    if left is True or right is True:
        return True
    return None if left is None or right is None else False


class _Condition:
    """What stands between `[[` and `]]`; None stands for what is not known."""

    def __init__(self, shell: Interpreter, reader: WordReader) -> None:
        self._shell = shell
        self._reader = reader
        self._text = shell.tree.text
        self._depth = 0

    def value(self) -> bool | None:
        outcome = self._disjunction()
        self._reader.skip_blanks()
        if not self._reader.at_end():
            raise UnsureError("a condition that is not modelled")
        return outcome

    def _accept(self, *operators: str) -> str:
        self._reader.skip_blanks()
        at = self._reader.position
        for operator in _OPERATORS:
            if self._text.startswith(operator, at, self._reader.end):
                if operator not in operators:
                    return ""
                self._reader.position += len(operator)
                return operator
        return ""

    def _disjunction(self) -> bool | None:
        outcome = self._conjunction()
        while self._accept("||"):
            outcome = _either(outcome, self._conjunction())
        return outcome

    def _conjunction(self) -> bool | None:
        outcome = self._negation()
        while self._accept("&&"):
            outcome = _both(outcome, self._negation())
        return outcome

    def _negation(self) -> bool | None:
        self._reader.skip_blanks()
        at = self._reader.position
        if self._text.startswith("!", at) and self._text[at + 1 : at + 2].isspace():
            self._reader.position += 1
            outcome = self._deeper(self._negation)
            return None if outcome is None else not outcome
        if self._accept("("):
            outcome = self._deeper(self._disjunction)
            if not self._accept(")"):
                raise UnsureError("a condition that is not modelled")
            return outcome
        return self._comparison()

    def _deeper(self, read: object) -> bool | None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise UnsureError("a condition with too many levels")
        outcome: bool | None = read()  # type: ignore[operator]
        self._depth -= 1
        return outcome

    def _word(self) -> Word:
        self._reader.skip_blanks()
        start = self._reader.position
        word = self._reader.word()
        if self._reader.position == start:
            raise UnsureError("a condition that is not modelled")
        return word

    def _comparison(self) -> bool | None:
        first = self._word()
        operator = _plain_text(first)
        if len(operator) == 2 and operator[0] == "-" and operator[1].isalpha():
            return self._one_sided(operator)
        at = self._reader.position
        if two_sided := self._accept("==", "=~", "!=", "=", "<", ">"):
            return self._two_sided(first, two_sided)
        self._reader.position = at
        self._reader.skip_blanks()
        at = self._reader.position
        if self._text[at : at + 3] in _NUMBERS:
            self._reader.position += 3
            left, right = self._known(first), self._known(self._word())
            if left is None or right is None:
                return None
            return _compare(self._text[at : at + 3], _integer(left), _integer(right))
        text = self._known(first)
        return None if text is None else text != ""

    def _one_sided(self, operator: str) -> bool | None:
        text = self._known(self._word())
        if text is None or operator in _FILE_TESTS:
            return None
        return _unary(self._shell, operator, text)

    def _two_sided(self, first: Word, operator: str) -> bool | None:
        if operator == "=~":
            # What stands there is read by other rules than words are.
            raise UnsureError("a regular expression")
        second = self._word()
        left = self._known(first)
        if left is None or operator not in _PATTERN_OPERATORS:
            return None
        try:
            pattern = self._shell.expand.pattern(second)
            outcome = pattern.matches(left, self._shell.budget)
        except UnsureError:
            return None
        return outcome != (operator == "!=")

    def _known(self, word: Word) -> str | None:
        try:
            return self._shell.expand.text(word)
        except UnsureError:
            return None


def _plain_text(word: Word) -> str:
    return "".join(part.text for part in word if isinstance(part, Literal) and not part.quoted)
