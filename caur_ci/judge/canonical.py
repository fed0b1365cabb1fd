"""The meaning of code as a row of tokens: without layout, comments, and quotes that do not matter.

Two pieces of code with the same tokens do the same. Two that do the same may have other tokens: in
doubt, what is written stays a token as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.pkgbuild.values import LostError, UnsureError
from caur_ci.pkgbuild.words import Arithmetic, Command, Literal, Parameter, Word

if TYPE_CHECKING:
    from collections.abc import Collection

    from tree_sitter import Node

    from caur_ci.pkgbuild.interpreter import Interpreter

# Nodes that are one word of bash.
WORDS = frozenset(
    {
        *("word", "string", "raw_string", "ansi_c_string", "concatenation", "number"),
        *("simple_expansion", "expansion", "command_substitution", "arithmetic_expansion"),
        *("brace_expression", "translated_string"),
    }
)
# Their text means something else than that of a word.
_VERBATIM = frozenset({"heredoc_body", "heredoc_redirect", "regex", "extglob_pattern"})
_SEPARATORS = frozenset({"\n", ";", "comment"})
# Not quoted, these make bash look for files, or for more words.
_SPECIAL = frozenset("*?[]{}~!")
_MARK = "\0"
_DEEPEST = 30


class Canonical:
    """Makes tokens of nodes of one script.

    `unsplit` are the names of variables without blanks and patterns: quotes around them do not
    matter.
    """

    def __init__(self, shell: Interpreter, unsplit: Collection[str]) -> None:
        self._shell = shell
        self._unsplit = unsplit
        self._depth = 0

    def tokens(self, node: Node) -> tuple[str, ...]:
        """Return the tokens of a node and all that is in it."""
        found: list[str] = []
        waiting: list[Node | str] = [node]
        while waiting:
            at = waiting.pop()
            if isinstance(at, str):
                found.append(at)
            elif at.type in _SEPARATORS:
                continue
            elif at.type in WORDS:
                found.append(self.word(at))
            elif at.type in _VERBATIM or not at.children:
                found.append(f"{at.type} {self._shell.text_of(at)}")
            else:
                found.append(f"({at.type}")
                waiting += (")", *reversed(_children(at)))
        return tuple(found)

    def word(self, node: Node) -> str:
        """Return the token of a word."""
        try:
            return f"word {self._of_word(self._shell.word(node))}"
        except (UnsureError, LostError, RecursionError):
            return f"text {self._shell.text_of(node)}"

    def _of_word(self, word: Word) -> str:
        has_braces = any(
            isinstance(part, Literal) and not part.quoted and "{" in part.text for part in word
        )
        return "".join(self._of_part(part, has_braces=has_braces) for part in word)

    def _of_part(self, part: object, *, has_braces: bool) -> str:
        if isinstance(part, Literal):
            if part.quoted:
                return part.text
            special = _SPECIAL | frozenset(",.") if has_braces else _SPECIAL
            return "".join(f"{_MARK}{char}" if char in special else char for char in part.text)
        if isinstance(part, Parameter):
            return self._parameter(part)
        if isinstance(part, Command):
            return self._command(part)
        if isinstance(part, Arithmetic):
            return f"{_MARK}$(({self._of_word(part.expression)}{_MARK}))"
        return f"{_MARK}{part!r}"

    def _parameter(self, part: Parameter) -> str:
        index = part.index if isinstance(part.index, str | None) else self._of_word(part.index)
        operands = "".join(f"{_MARK}/{self._of_word(operand)}" for operand in part.operands)
        form = f"{'#' * part.length}{'!' * part.indirect}{part.name}"
        plain = not (part.operator or part.index or part.length or part.indirect)
        quotes = '"' if part.quoted and not (plain and part.name in self._unsplit) else ""
        subscript = "" if index is None else f"[{index}]"
        return f"{_MARK}${{{quotes}{form}{subscript}{part.operator}{operands}{_MARK}}}"

    def _command(self, part: Command) -> str:
        self._depth += 1
        try:
            if self._depth > _DEEPEST:
                return f"{_MARK}$({self._shell.text_of(part.node)}{_MARK})"
            inner = _MARK.join(token for child in part.node.children for token in self._of(child))
        finally:
            self._depth -= 1
        quotes = '"' if part.quoted else ""
        return f"{_MARK}$({quotes}{inner}{_MARK})"

    def _of(self, node: Node) -> tuple[str, ...]:
        # Backquotes do the same as `$(…)` where there is no backslash, which the reader sees to.
        return ("`",) if node.type in {"`", "$(", ")"} and not node.is_named else self.tokens(node)


def _children(node: Node) -> list[Node]:
    """Return what is in a node, without how bash is told that it is a function."""
    if node.type != "function_definition":
        return node.children
    return [child for child in node.children if child.type not in {"function", "(", ")"}]
