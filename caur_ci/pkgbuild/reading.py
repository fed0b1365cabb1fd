"""Reads words of bash out of a PKGBUILD's text.

The syntax tree tells where statements and words are; what is inside a word is read here, by bash's
own rules. Whoever asks for a word compares where it ends with what the tree says.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from caur_ci.pkgbuild.ansi_c import ansi_c
from caur_ci.pkgbuild.syntax import decode
from caur_ci.pkgbuild.values import UnsureError
from caur_ci.pkgbuild.words import Arithmetic, Command, Literal, Parameter, Part, Word

if TYPE_CHECKING:
    from tree_sitter import Node

    from caur_ci.pkgbuild.syntax import SyntaxTree

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-]")
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]|[@*#?$!-]")
_OPERATOR = re.compile(r":?[-=+?]|##?|%%?|//?|\^\^?|,,?|@[A-Za-z]|:")
_PATTERNS = frozenset({"#", "##", "%", "%%", "/", "//", "^", "^^", ",", ",,"})
ENDS_WORD = frozenset(" \t\n;&|<>()")
_DEEPEST = 40
_ALL = frozenset({"@", "*"})


class WordReader:
    """Reads one word after the other from `position` on, no further than `end`."""

    def __init__(self, tree: SyntaxTree, position: int, end: int) -> None:
        self._tree = tree
        self._text = tree.text
        self.position = position
        self.end = end
        self._depth = 0

    def skip_blanks(self) -> None:
        """Go on to what is no white space, comment or joined line."""
        while self.position < self.end:
            char = self._text[self.position]
            if char in " \t\n":
                self.position += 1
            elif self._starts("\\\n"):
                self.position += 2
            elif char == "#":
                self._skip_comment()
            else:
                return

    def at_end(self) -> bool:
        """Tell whether everything has been read."""
        return self.position >= self.end

    def word(self, ends: frozenset[str] = ENDS_WORD) -> Word:
        """Read up to a character of `ends` that is not quoted."""
        parts: list[Part] = []
        while self.position < self.end and self._text[self.position] not in ends:
            parts += self._unquoted(ends)
        return tuple(parts)

    def quoted_text(self) -> Word:
        """Read what is left as if it stood in double quotes, as in a here-document."""
        return tuple(self._in_double_quotes(closing=""))

    def _skip_comment(self) -> None:
        end = self._text.find("\n", self.position, self.end)
        self.position = self.end if end < 0 else end

    def _starts(self, text: str) -> bool:
        return self._text.startswith(text, self.position, self.end)

    def _take(self, text: str) -> None:
        if not self._starts(text):
            raise UnsureError(f"no {text} where one belongs")
        self.position += len(text)

    def _unquoted(self, ends: frozenset[str]) -> list[Part]:
        char = self._text[self.position]
        if char == "'":
            return [self._single_quoted()]
        if char == '"':
            return self._double_quoted()
        if char == "\\":
            return self._escaped()
        if char in "$`":
            return self._dollar(quoted=False)
        if char in "<>" and self._text.startswith("(", self.position + 1):
            raise UnsureError("a process substitution")
        return [self._plain(ends)]

    def _plain(self, ends: frozenset[str]) -> Literal:
        start = self.position
        self.position += 1
        while self.position < self.end:
            char = self._text[self.position]
            if char in ends or char in "'\"\\$`":
                break
            self.position += 1
        return Literal(decode(self._text[start : self.position]))

    def _single_quoted(self) -> Literal:
        end = self._text.find("'", self.position + 1, self.end)
        if end < 0:
            raise UnsureError("a quote that does not end")
        text = self._text[self.position + 1 : end]
        self.position = end + 1
        return Literal(decode(text), quoted=True)

    def _escaped(self) -> list[Part]:
        start = self.position + 1
        if start >= self.end:
            raise UnsureError("a backslash at the end")
        # A character of several bytes has them one by one here.
        self.position = start + 1
        while self.position < self.end and 0x80 <= ord(self._text[self.position]) < 0xC0:
            self.position += 1
        if self._text[start] == "\n":
            return []
        return [Literal(decode(self._text[start : self.position]), quoted=True)]

    def _double_quoted(self) -> list[Part]:
        self.position += 1
        parts = self._in_double_quotes(closing='"')
        self._take('"')
        return parts or [Literal("", quoted=True)]

    def _in_double_quotes(self, closing: str) -> list[Part]:
        """Read up to `closing`: the quote, the brace of a default in quotes, nothing at all."""
        parts: list[Part] = []
        text: list[str] = []

        def finish() -> None:
            if text:
                parts.append(Literal(decode("".join(text)), quoted=True))
                text.clear()

        while self.position < self.end:
            char = self._text[self.position]
            if char == closing:
                break
            if char in "$`":
                finish()
                parts += self._dollar(quoted=True)
            elif char == '"' and closing == "}":
                finish()
                parts += self._double_quoted()
            else:
                text.append(self._character_in_quotes(closing))
        finish()
        return parts

    def _character_in_quotes(self, closing: str) -> str:
        char = self._text[self.position]
        self.position += 1
        if char != "\\" or self.position >= self.end:
            return char
        following = self._text[self.position]
        if following == "\n":
            self.position += 1
            return ""
        if following in "$`\\" or (closing and following in {'"', closing}):
            self.position += 1
            return following
        return char

    def _dollar(self, *, quoted: bool) -> list[Part]:
        """Read what begins with a dollar sign or a backquote."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise UnsureError("too many expansions inside of each other")
        start = self.position
        try:
            part = self._expansion(quoted=quoted)
        finally:
            self._depth -= 1
        if not isinstance(part, Command) and self._is_joined(start):
            raise UnsureError("an expansion that goes on in the next line")
        return [part]

    def _is_joined(self, start: int) -> bool:
        """Tell whether there is a joined line in an expansion or right behind it."""
        return "\\\n" in self._text[start : self.position] or (
            self._starts("\\\n") and self._text[self.position - 1] != "}"
        )

    def _expansion(self, *, quoted: bool) -> Part:
        if self._starts("$(("):
            node = self._node("arithmetic_expansion")
            return self._command(quoted=quoted) if node is None else self._sum(node, quoted=quoted)
        if self._starts("`") or self._starts("$("):
            return self._command(quoted=quoted)
        if self._starts("${"):
            self.position += 2
            return self._braced(quoted=quoted)
        if not quoted and self._text[self.position + 1 : self.position + 2] in {"'", '"'}:
            return self._ansi_c()
        if match := _PLAIN_NAME.match(self._text, self.position + 1, self.end):
            self.position = match.end()
            return Parameter(match[0], quoted, bare=True)
        self.position += 1
        return Literal("$", quoted)

    def _ansi_c(self) -> Literal:
        if self._starts('$"'):
            raise UnsureError("a text to be translated")
        text, self.position = ansi_c(self._text, self.position + 2, self.end)
        return Literal(decode(text), quoted=True)

    def _node(self, kind: str) -> Node | None:
        """Return the node of this kind that the tree has here."""
        node = self._tree.root.descendant_for_byte_range(self.position, self.position + 1)
        while node is not None and self._begins_here(node):
            if node.type == kind:
                return node
            node = node.parent
        return None

    def _begins_here(self, node: Node) -> bool:
        """Tell whether a node begins here; within quotes it takes the white space before it."""
        before = self._text[node.start_byte : self.position]
        return node.start_byte == self.position or before.isspace()

    def _command(self, *, quoted: bool) -> Command:
        backquoted = self._starts("`")
        node = self._node("command_substitution")
        if node is None or node.end_byte > self.end:
            raise UnsureError("a command whose end is not clear")
        if backquoted and "\\" in self._text[node.start_byte : node.end_byte]:
            raise UnsureError("a command in backquotes with a backslash")
        self.position = node.end_byte
        return Command(node, quoted)

    def _sum(self, node: Node, *, quoted: bool) -> Arithmetic:
        start, end = self.position + 3, node.end_byte - 2
        if end > self.end or self._text[end : end + 2] != "))":
            raise UnsureError("an arithmetic expression whose end is not clear")
        inner = WordReader(self._tree, start, end)
        inner._depth = self._depth
        self.position = node.end_byte
        return Arithmetic(inner.quoted_text(), quoted)

    def _braced(self, *, quoted: bool) -> Parameter:
        """Read what follows `${`."""
        length = self._starts("#") and not self._starts("#}")
        indirect = self._starts("!") and not self._starts("!}")
        if length or indirect:
            self.position += 1
        match = _NAME.match(self._text, self.position, self.end)
        if match is None:
            raise UnsureError("an expansion that is not understood")
        self.position = match.end()
        index = self._index()
        if self._starts("}"):
            self.position += 1
            return Parameter(match[0], quoted, index, length, indirect)
        if length:
            raise UnsureError("an expansion that is not understood")
        operator, operands = self._operation(quoted=quoted)
        self._take("}")
        return Parameter(match[0], quoted, index, length, indirect, operator, operands)

    def _index(self) -> Word | str | None:
        if not self._starts("["):
            return None
        self.position += 1
        if self._text[self.position : self.position + 1] in _ALL and self._text.startswith(
            "]", self.position + 1
        ):
            self.position += 2
            return self._text[self.position - 2]
        index = self.word(frozenset("]"))
        self._take("]")
        return index

    def _operation(self, *, quoted: bool) -> tuple[str, tuple[Word, ...]]:
        match = _OPERATOR.match(self._text, self.position, self.end)
        if match is None:
            # `${name*}` and `${name@}` name variables.
            raise UnsureError("an expansion that is not understood")
        operator = match[0]
        self.position = match.end()
        if operator == ":":
            return operator, self._places()
        if operator in {"/", "//"}:
            return self._substitution(operator)
        if operator in _PATTERNS:
            return operator, (self._pattern(frozenset("}")),)
        return operator, (self._default(quoted=quoted),)

    def _places(self) -> tuple[Word, ...]:
        first = self.word(frozenset(":}"))
        if not self._starts(":"):
            return (first,)
        self.position += 1
        return first, self.word(frozenset(":}"))

    def _substitution(self, operator: str) -> tuple[str, tuple[Word, ...]]:
        if operator == "/" and self._text[self.position : self.position + 1] in {"#", "%"}:
            operator += self._text[self.position]
            self.position += 1
        pattern = self._pattern(frozenset("/}"))
        if not self._starts("/"):
            return operator, (pattern, ())
        self.position += 1
        return operator, (pattern, self._pattern(frozenset("}")))

    def _pattern(self, ends: frozenset[str]) -> Word:
        """Read a pattern, where quotes count also within double quotes."""
        parts: list[Part] = []
        while self.position < self.end and self._text[self.position] not in ends:
            parts += self._unquoted(ends)
        return tuple(parts)

    def _default(self, *, quoted: bool) -> Word:
        """Read the word of `${x:-word}` and its like."""
        if not quoted:
            return self.word(frozenset("}"))
        return tuple(self._in_double_quotes("}"))
