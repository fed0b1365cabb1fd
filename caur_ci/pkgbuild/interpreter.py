"""Follows the statements of a PKGBUILD as bash would, without running anything.

Where a condition is not known, both ways are followed, and what differs afterwards is unsure.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from caur_ci.pkgbuild.assignments import check_name
from caur_ci.pkgbuild.expansions import Expander
from caur_ci.pkgbuild.jump import Jump
from caur_ci.pkgbuild.reading import ENDS_WORD, WordReader
from caur_ci.pkgbuild.statements import STATEMENTS
from caur_ci.pkgbuild.syntax import decode, line_of
from caur_ci.pkgbuild.values import Budget, LostError, Shape, Unsure, UnsureError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from tree_sitter import Node

    from caur_ci.pkgbuild.state import Function, State
    from caur_ci.pkgbuild.syntax import SyntaxTree
    from caur_ci.pkgbuild.words import Word

_DEEPEST = 60
# What it takes to follow something apart, in steps.
_COPY = 30
_SETS_BY_DEFAULT = re.compile(r"\$\{!?([A-Za-z_][A-Za-z0-9_]*)(?:\[[^]]*\])?:?=")
_SETS_BY_ARITHMETIC = re.compile(
    r"([A-Za-z_][A-Za-z0-9_]*)\s*(?:\+\+|--|(?:[-+*/%&|^]|<<|>>)?=(?!=))"
    r"|(?:\+\+|--)\s*([A-Za-z_][A-Za-z0-9_]*)"
)
# From the first to the last place where there may be arithmetic.
_ARITHMETIC = re.compile(r"\(\(.*\)\)|[$\w]\[.*\]", re.DOTALL)


class Interpreter:
    """A shell that reads one PKGBUILD.

    `written` is what has been written to standard output: text, or why it is not known. Raises
    LostError where nothing can be known any more.
    """

    def __init__(
        self, tree: SyntaxTree, state: State, budget: Budget, files: Collection[str] | None
    ) -> None:
        self.tree = tree
        self.state = state
        self.budget = budget
        self.files = files
        self.line = 0
        self.written: str | Unsure = ""
        self.stdin: str | None = None
        self.expand = Expander(self)
        # How many commands in `$(…)` there were: the last one gives an assignment its exit code.
        self.captured = 0
        self._depth = 0

    def run_all(self) -> None:
        """Follow the whole file. Raises LostError."""
        try:
            self.run(self.tree.root)
        except Jump as jump:
            if jump.kind != "return":
                raise LostError(f"{jump.kind} ends makepkg", self.line) from jump

    def run(self, node: Node) -> None:
        """Follow one statement; its exit code is in `state.status`. Raises LostError."""
        self.line = line_of(node)
        self.budget.step()
        self._depth += 1
        try:
            if self._depth > _DEEPEST:
                raise LostError("statements too deep inside of each other", self.line)
            method = STATEMENTS.get(node.type)
            if method is None:
                raise LostError(f"a {node.type.replace('_', ' ')} is not modelled", self.line)
            method(self, node)
        finally:
            self._depth -= 1

    def run_each(self, nodes: Iterable[Node]) -> None:
        """Follow the statements among `nodes` one after the other."""
        for node in nodes:
            if node.is_named and node.type not in {"comment", "heredoc_body", "heredoc_end"}:
                following = node.next_sibling
                if following is not None and following.type == "&":
                    # In a process of its own, which changes nothing here.
                    self.wrote(None, "what a command writes in the background")
                    self.state.status = 0
                else:
                    self.run(node)

    def block(self, node: Node) -> None:
        """Follow what is inside of a node."""
        self.run_each(node.children)

    def reader(self, node: Node) -> WordReader:
        """Return a reader of the words in `node`."""
        return WordReader(self.tree, node.start_byte, node.end_byte)

    def word(self, node: Node) -> Word:
        """Read a node that is one word. Raises UnsureError."""
        before = self.tree.text[max(node.start_byte - 2, 0) : node.start_byte]
        if before in {"\\ ", "\\\t"}:
            # The tree takes a quoted blank for one between words.
            raise UnsureError("a word whose beginning is not clear", line_of(node))
        reader = WordReader(self.tree, node.start_byte, node.end_byte)
        word = reader.word()
        following = self.tree.text[node.end_byte : node.end_byte + 1]
        ends = following in ENDS_WORD or (following == "`" and _is_in_backquotes(node))
        if not reader.at_end() or (following and not ends):
            raise UnsureError("a word whose end is not clear", line_of(node))
        return word

    def text_of(self, node: Node) -> str:
        """Return the text of a node as it is written."""
        return decode(self.tree.text[node.start_byte : node.end_byte])

    def capture(self, node: Node) -> str:
        """Return what the command in `$(…)` writes; it cannot change anything here.

        Raises UnsureError.
        """
        self.captured += 1
        written = self.apart(lambda: self.block(node))
        if isinstance(written, Unsure):
            raise UnsureError(written.reason, written.line)
        return written

    def apart(self, follow: Callable[[], None]) -> str | Unsure:
        """Follow statements in a process of their own; return what they write."""
        before, line, written = self.state, self.line, self.written
        self.budget.step(_COPY + len(before.scopes[0]) // 8)
        self.state, self.written = before.copy(), ""
        try:
            follow()
        except Jump as jump:
            if jump.kind in {"break", "continue"}:
                self.state.status = None
        except LostError as error:
            self.state.status = None
            return Unsure(error.reason, error.line)
        except UnsureError as error:
            self.state.status = None
            return Unsure(error.reason, error.line or self.line)
        else:
            return self.written
        finally:
            before.status = self.state.status
            result = self.written
            self.state, self.line, self.written = before, line, written
        return result

    def wrote(self, text: str | None, reason: str = "") -> None:
        """Take note of what a command writes to standard output; None is not known."""
        if isinstance(self.written, Unsure):
            return
        if text is None:
            self.written = Unsure(reason, self.line)
        else:
            self.budget.made(len(text))
            self.written += text

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Let what is written meanwhile go elsewhere."""
        written = self.written
        try:
            yield
        finally:
            self.written = written

    def either(self, reason: str, ways: Sequence[Callable[[], None]]) -> None:
        """Follow all of `ways` from here, of which one is taken; only what is the same is sure."""
        line, before, written = self.line, self.state, self.written
        merged: State | None = None
        outputs: list[str | Unsure] = []
        for way in ways:
            self.state, self.written = before.copy(), written
            self.budget.step(_COPY + len(before.scopes[0]) // 8)
            try:
                way()
            except Jump as jump:
                raise LostError(f"{jump.kind} where {reason}", line) from jump
            outputs.append(self.written)
            if merged is None:
                merged = self.state
            else:
                merged.merge(self.state, reason, line)
        self.state, self.line = merged or before, line
        self.written = outputs[0] if len(set(outputs)) == 1 else Unsure(reason, line)

    def forget_assigned(self, node: Node, error: UnsureError) -> None:
        """Make unsure what the expansions in a statement may have set that was not finished."""
        text = self.tree.text[node.start_byte : node.end_byte]
        names = {match[1] for match in _SETS_BY_DEFAULT.finditer(text)}
        for expression in _ARITHMETIC.finditer(text):
            names |= {found[1] or found[2] for found in _SETS_BY_ARITHMETIC.finditer(expression[0])}
        for name in names:
            self.make_unsure(name, error)

    def set_default(self, name: str, value: str) -> None:
        """Set a variable, as `${name:=value}` does."""
        check_name(self, name)
        self.state.assign(name, value, self.line)

    def make_unsure(self, name: str, error: UnsureError, shape: Shape = Shape.TEXT) -> None:
        """Give a variable a value that is not known."""
        check_name(self, name)
        variable = self.state.find(name)
        if variable is not None and not isinstance(variable.value, Unsure | str):
            shape = Shape.ARRAY
        value = Unsure(error.reason, error.line or self.line, shape)
        self.state.assign(name, value, self.line)

    def make_opaque(self, name: str, error: UnsureError) -> None:
        """Give up on a variable whose attributes change what is assigned to it."""
        self.state.unset(name, self.line)
        self.state.assign(name, Unsure(error.reason, self.line, Shape.OPAQUE), self.line)

    def call(self, function: Function, arguments: Sequence[str] | None) -> None:
        """Run a function; `arguments` are None where they are not known."""
        self.budget.step(_COPY)
        tree, positional = self.tree, self.state.positional
        self.tree = function.tree
        self.state.positional = None if arguments is None else tuple(arguments)
        self.state.scopes.append({})
        try:
            self.run(function.body)
        except Jump as jump:
            if jump.kind != "return":
                raise
        finally:
            self.state.scopes.pop()
            self.tree, self.state.positional = tree, positional

    def redirected(self, redirects: Sequence[Node], follow: Callable[[], None]) -> None:
        """Follow something with its redirections."""
        stdin, self.stdin = self.stdin, self._standard_input(redirects)
        try:
            if any(map(self._takes_output, redirects)):
                with self.silent():
                    follow()
            else:
                follow()
        finally:
            self.stdin = stdin

    def _standard_input(self, redirects: Sequence[Node]) -> str | None:
        given = self.stdin
        for redirect in redirects:
            if redirect.type == "herestring_redirect":
                try:
                    given = self.expand.text(self.word(redirect.named_children[-1])) + "\n"
                except UnsureError as error:
                    self.forget_assigned(redirect, error)
                    given = None
            elif redirect.type == "heredoc_redirect":
                self.forget_assigned(redirect, UnsureError("a here-document"))
                given = None
            elif "<" in self.text_of(redirect)[:3]:
                self.forget_assigned(redirect, UnsureError("a redirection"))
                given = None
        return given

    def _takes_output(self, redirect: Node) -> bool:
        if redirect.type == "heredoc_redirect":
            return any(map(self._takes_output, redirect.children_by_field_name("redirect")))
        if redirect.type != "file_redirect":
            return False
        self.forget_assigned(redirect, UnsureError("a redirection"))
        return re.match(r"1?>|&>", self.text_of(redirect)) is not None

    def short(self, node: Node) -> str:
        """Return the beginning of a node's text, for a reason."""
        text = " ".join(self.text_of(node).split())
        return f"`{text if len(text) <= 60 else text[:57] + '...'}`"


def _is_in_backquotes(node: Node) -> bool:
    at: Node | None = node
    while at is not None and at.type != "command_substitution":
        at = at.parent
    return at is not None and at.children[0].type == "`"
