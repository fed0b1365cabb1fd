"""A file of bash, taken apart: functions, assignments, the rest; and its commands decoded."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from caur_ci.judge.canonical import WORDS, Canonical
from caur_ci.pkgbuild import SyntaxTree, parse
from caur_ci.pkgbuild.environment import makepkg_variables
from caur_ci.pkgbuild.interpreter import Interpreter
from caur_ci.pkgbuild.state import State
from caur_ci.pkgbuild.syntax import line_of
from caur_ci.pkgbuild.values import Budget, LostError, Unsure, UnsureError, Variable
from caur_ci.pkgbuild.words import Literal, Parameter, Word

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from tree_sitter import Node

# Set by makepkg; in decoded text they stand as they are written.
FOLDERS = ("srcdir", "pkgdir", "startdir", "pkgdirbase")
_SPLITS = re.compile(r"[ \t\n*?\[\]]")
_DEFAULT = re.compile(r""":[ \t]+("?)\$\{([A-Za-z_]\w*):?=[\w.+:/@,-]*\}\1""")
_MOST_FED = 20
_LONGEST_COMMAND = 20_000


@dataclass(frozen=True, slots=True)
class Code:
    """A simple command as bash would run it, as far as that can be told.

    `text` is name and arguments with quotes, escapes and known variables resolved; `written` is
    what stands in the file, `named` of it the name. `feeds` are the names of the commands that read
    what it writes; `reads_text` says that it reads text that stands beside it.
    """

    name: str
    arguments: tuple[str, ...]
    text: str
    written: str
    named: str
    line: int
    feeds: tuple[str, ...] = ()
    reads_text: bool = False


class Script:
    """One file. Raises UnparsableError where it cannot be read within the bounds."""

    def __init__(self, data: bytes, *, origin: str) -> None:
        self.tree: SyntaxTree = parse(data, origin=origin)
        self.functions: dict[str, list[Node]] = {}
        self.assignments: dict[str, list[Node]] = {}
        self.rest: list[Node] = []
        self._shell = _shell(self.tree, {})
        self._canonical = Canonical(self._shell, ())
        self._sort()

    def know(self, variables: Mapping[str, Variable], moving: Collection[str]) -> None:
        """Resolve variables from here on, but for those in `moving`, whose names stay."""
        known = {name: it for name, it in variables.items() if name not in moving}
        self._shell = _shell(self.tree, known)
        unsplit = {
            name
            for name, it in variables.items()
            if isinstance(it.value, str) and it.value and not _SPLITS.search(it.value)
        }
        self._canonical = Canonical(self._shell, unsplit | set(FOLDERS))

    @property
    def has_errors(self) -> bool:
        """Whether a part of it is not understood."""
        return self.tree.has_errors

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the file."""
        return self.tree.data.decode("utf-8", "surrogateescape").split("\n")

    def tokens(self, node: Node) -> tuple[str, ...]:
        """Return the meaning of a node: the same for code that does the same."""
        return self._canonical.tokens(node)

    def text(self, node: Node) -> str:
        """Return a node as it is written."""
        return self._shell.text_of(node)

    def commands(self, node: Node) -> list[Code]:
        """Return the simple commands in a node, those in `$(…)` too, in their order.

        Variables that are set in it on the way are resolved, as far as they are plain.
        """
        found: list[Code] = []
        self._shell.state.scopes.append({})
        try:
            for at in walk(node):
                if at.type in {"command", "declaration_command", "unset_command"}:
                    found.append(self._code(at))
                elif at.type == "variable_assignment":
                    self._set(at)
        finally:
            self._shell.state.scopes.pop()
        return found

    def _set(self, node: Node) -> None:
        """Give a variable its value for the commands behind it."""
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is None or name.type != "variable_name":
            return
        text: str | Unsure = Unsure("not plain", line_of(node))
        plain = value is not None and value.type in WORDS and node.children[1].type == "="
        if value is not None and plain:
            with suppress(UnsureError, LostError, RecursionError):
                text = self._shell.expand.text(self._shell.word(value))
        self._shell.state.scopes[-1][self.text(name)] = Variable(text, line_of(node))

    def decoded(self, node: Node) -> str:
        """Return what bash makes of a word; what is not known stays as it is written."""
        try:
            word = self._shell.word(node)
        except (UnsureError, LostError, RecursionError):
            return self.text(node)
        return "".join(self._decoded_part(part, node) for part in word)

    def values(self, node: Node) -> list[str]:
        """Return the decoded words of an assignment's value, or of a whole statement."""
        return [self.decoded(at) for at in walk(node, into_words=False) if at.type in WORDS]

    def _decoded_part(self, part: object, node: Node) -> str:
        if isinstance(part, Literal):
            return part.text
        word: Word = (part,)
        try:
            return self._shell.expand.text(word)
        except (UnsureError, LostError, RecursionError):
            pass
        if isinstance(part, Parameter):
            return f"${{{part.name}}}" if part.operator or part.index else f"${part.name}"
        inner = getattr(part, "node", node)
        return self.text(inner)

    def _code(self, node: Node) -> Code:
        words = [self.decoded(child) for child in _words_of(node)]
        text = " ".join(words)[:_LONGEST_COMMAND]
        name = words[0] if words else ""
        return Code(
            name=name,
            arguments=tuple(words[1:]),
            text=text,
            written=self.text(node)[:_LONGEST_COMMAND],
            named=self.text(_named(node)),
            line=line_of(node),
            feeds=tuple(self._feeds(node)),
            reads_text=_reads_text(node),
        )

    def _feeds(self, node: Node) -> list[str]:
        """Return the names of the commands behind `|`."""
        found: list[str] = []
        at: Node | None = node
        while at is not None and at.type not in {"function_definition", "program"}:
            following = at.next_named_sibling
            if at.parent is not None and at.parent.type == "pipeline":
                while following is not None and len(found) < _MOST_FED:
                    first = next((it for it in walk(following) if it.type == "command"), None)
                    if first is not None:
                        found += [self.decoded(child) for child in islice(_words_of(first), 1)]
                    following = following.next_named_sibling
            at = at.parent
        return found

    def _sort(self) -> None:
        for node in self.tree.root.named_children:
            if node.type == "function_definition":
                name = node.child_by_field_name("name")
                self.functions.setdefault(self.text(name) if name else "", []).append(node)
            elif node.type == "variable_assignment":
                self._take_assignment(node)
            elif node.type == "variable_assignments":
                for child in node.named_children:
                    self._take_assignment(child)
            elif node.type == "command" and (default := self._set_by_default(node)):
                self.assignments.setdefault(default, []).append(node)
            elif node.type != "comment":
                self.rest.append(node)

    def _set_by_default(self, node: Node) -> str:
        """Return the variable that `: ${name:=text}` sets, and nothing else is done there."""
        match = _DEFAULT.fullmatch(self.text(node))
        return match[2] if match else ""

    def _take_assignment(self, node: Node) -> None:
        target = node.child_by_field_name("name")
        if target is not None and target.type == "subscript":
            target = target.child_by_field_name("name")
        self.assignments.setdefault(self.text(target) if target else "", []).append(node)


def walk(node: Node, *, into_words: bool = True) -> Iterator[Node]:
    """Yield a node and all that is in it, in the order of the text."""
    waiting = [node]
    while waiting:
        at = waiting.pop()
        yield at
        if into_words or at.type not in WORDS:
            waiting += reversed(at.named_children)


def _named(node: Node) -> Node:
    """Return the node of a command's name."""
    return node.child_by_field_name("name") or (node.children[0] if node.children else node)


def _reads_text(node: Node) -> bool:
    holders = [node, *([node.parent] if node.parent is not None else ())]
    kinds = {"heredoc_redirect", "herestring_redirect"}
    return any(
        child.type in kinds
        for holder in holders
        if holder is node or holder.type == "redirected_statement"
        for child in holder.named_children
    )


def _words_of(node: Node) -> Iterator[Node]:
    """Yield the words of a command: its name and its arguments."""
    if node.type == "declaration_command" and node.children:
        yield node.children[0]
    others = (
        {"variable_name"} if node.type == "command" else {"variable_name", "variable_assignment"}
    )
    for child in node.named_children:
        if child.type == "command_name":
            yield from child.named_children
        elif child.type in WORDS | others:
            yield child


def _shell(tree: SyntaxTree, variables: Mapping[str, Variable]) -> Interpreter:
    known: dict[str, Variable | None] = dict(makepkg_variables("x86_64"))
    known |= {name: Variable(it.value, it.line) for name, it in variables.items()}
    for name in FOLDERS:
        known[name] = Variable(Unsure("a folder", 0), 0)
    return Interpreter(tree, State([known]), Budget(), None)
