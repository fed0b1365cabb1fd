"""Follows the statements of a PKGBUILD as bash would, without running anything.

Where a condition is not known, both ways are followed, and what differs afterwards is unsure.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from caur_ci.pkgbuild import assignments, commands, conditions
from caur_ci.pkgbuild.expansions import Expander
from caur_ci.pkgbuild.jump import Jump
from caur_ci.pkgbuild.makepkg_names import TAKEN_FUNCTIONS
from caur_ci.pkgbuild.reading import WordReader
from caur_ci.pkgbuild.state import Function, State
from caur_ci.pkgbuild.syntax import decode, line_of
from caur_ci.pkgbuild.values import Budget, LostError, Shape, Unsure, UnsureError
from caur_ci.pkgbuild.words import Parameter, Word

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from tree_sitter import Node

    from caur_ci.pkgbuild.syntax import SyntaxTree

_DEEPEST = 60
_MOST_ROUNDS = 2_000
_SETS_BY_DEFAULT = re.compile(r"\$\{!?([A-Za-z_][A-Za-z0-9_]*)(?:\[[^]]*\])?:?=")
_SETS_BY_ARITHMETIC = re.compile(
    r"([A-Za-z_][A-Za-z0-9_]*)\s*(?:\+\+|--|(?:[-+*/%&|^]|<<|>>)?=(?!=))"
    r"|(?:\+\+|--)\s*([A-Za-z_][A-Za-z0-9_]*)"
)
# From the first to the last place where there may be arithmetic.
_ARITHMETIC = re.compile(r"\(\(.*\)\)|[$\w]\[.*\]", re.DOTALL)
_NOWHERE = frozenset({"/dev/null", "/dev/stderr"})


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
        self._depth = 0

    def run_all(self) -> None:
        """Follow the whole file."""
        try:
            self.run(self.tree.root)
        except Jump as jump:
            if jump.kind != "return":
                raise LostError(f"{jump.kind} ends makepkg", self.line) from jump

    def run(self, node: Node) -> None:
        """Follow one statement; its exit code is in `state.status`."""
        self.line = line_of(node)
        self.budget.step()
        self._depth += 1
        try:
            if self._depth > _DEEPEST:
                raise LostError("statements too deep inside of each other", self.line)
            method = _STATEMENTS.get(node.type)
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
        """Read a node that is one word."""
        reader = WordReader(self.tree, node.start_byte, len(self.tree.text))
        word = reader.word()
        if reader.position != node.end_byte:
            raise UnsureError("a word whose end is not clear", line_of(node))
        return word

    def text_of(self, node: Node) -> str:
        """Return the text of a node as it is written."""
        return decode(self.tree.text[node.start_byte : node.end_byte])

    def capture(self, node: Node) -> str:
        """Return what the command in `$(…)` writes; it cannot change anything here."""
        written = self.apart(lambda: self.block(node))
        if isinstance(written, Unsure):
            raise UnsureError(written.reason, written.line)
        return written

    def apart(self, follow: Callable[[], None]) -> str | Unsure:
        """Follow statements in a process of their own; return what they write."""
        before, line, written = self.state, self.line, self.written
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
            self.budget.step(1 + len(before.scopes[0]) // 8)
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
        assignments.check_name(self, name)
        self.state.assign(name, value, self.line)

    def make_unsure(self, name: str, error: UnsureError, shape: Shape = Shape.TEXT) -> None:
        """Give a variable a value that is not known."""
        assignments.check_name(self, name)
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

    # The statements, each by the type of its node.

    def _group(self, node: Node) -> None:
        if node.children and node.children[0].type == "((":
            self._arithmetic(node)
        else:
            self.block(node)

    def _arithmetic(self, node: Node) -> None:
        start, end = node.children[0].end_byte, node.children[-1].start_byte
        try:
            word = WordReader(self.tree, start, end).quoted_text()
            self.state.status = int(self.expand.arithmetic(word) == 0)
        except UnsureError as error:
            self.forget_assigned(node, error)
            self.state.status = None

    def _subshell(self, node: Node) -> None:
        written = self.apart(lambda: self.block(node))
        if isinstance(written, Unsure):
            self.wrote(None, written.reason)
        else:
            self.wrote(written)

    def _negated(self, node: Node) -> None:
        self.run(node.named_children[-1])
        if self.state.status is not None:
            self.state.status = int(not self.state.status)

    def _list(self, node: Node) -> None:
        left, right = node.named_children[0], node.named_children[-1]
        operator = next(child.type for child in node.children if not child.is_named)
        self.run(left)
        self.line = line_of(node)
        if self.state.status is None:
            reason = f"the outcome of {self._short(left)} is not known"
            self.either(reason, [lambda: None, lambda: self.run(right)])
            self.state.status = None
        elif (self.state.status == 0) == (operator == "&&"):
            self.run(right)

    def _short(self, node: Node) -> str:
        text = " ".join(self.text_of(node).split())
        return f"`{text if len(text) <= 60 else text[:57] + '...'}`"

    def _if(self, node: Node) -> None:
        condition: list[Node] = []
        body: list[Node] = []
        others: list[Node] = []
        part = condition
        for child in node.children[1:]:
            if child.type == "then":
                part = body
            elif child.type in {"elif_clause", "else_clause"}:
                others.append(child)
            else:
                part.append(child)
        self._branch(condition, body, others)

    def _branch(self, condition: list[Node], body: list[Node], others: list[Node]) -> None:
        self.run_each(condition)
        line = line_of(next(node for node in condition if node.is_named))
        self.line = line
        if self.state.status is None:
            reason = f"it depends on {self._short(condition[0])}"
            self.either(reason, [lambda: self.run_each(body), lambda: self._otherwise(others)])
        elif self.state.status == 0:
            self.run_each(body)
        else:
            self._otherwise(others)

    def _otherwise(self, others: list[Node]) -> None:
        if not others:
            self.state.status = 0
            return
        clause = others[0]
        if clause.type == "else_clause":
            self.block(clause)
            return
        then = next(at for at, child in enumerate(clause.children) if child.type == "then")
        self._branch(clause.children[1:then], clause.children[then + 1 :], others[1:])

    def _case(self, node: Node) -> None:
        items = [child for child in node.named_children if child.type == "case_item"]
        subject = node.child_by_field_name("value")
        try:
            text = self.expand.text(self.word(subject)) if subject is not None else ""
        except UnsureError as error:
            self.forget_assigned(node, error)
            ways = [lambda item=item: self._case_body(item) for item in items]
            self.either(f"it depends on {error.reason}", [*ways, lambda: None])
            return
        self.state.status = 0
        for at, item in enumerate(items):
            matches = self._case_matches(item, text)
            if matches is None:
                ways = [lambda item=item: self._case_body(item) for item in items[at:]]
                self.either("a pattern is not modelled", [*ways, lambda: None])
                return
            if matches:
                self._case_body(item)
                return

    def _case_matches(self, item: Node, text: str) -> bool | None:
        try:
            return any(
                self.expand.pattern(self.word(value)).matches(text, self.budget)
                for value in item.children_by_field_name("value")
            )
        except UnsureError as error:
            self.forget_assigned(item, error)
            return None

    def _case_body(self, item: Node) -> None:
        end = item.child_by_field_name("termination")
        if end is not None and end.type != ";;":
            raise LostError(f"{end.type} is not modelled", line_of(item))
        closing = next(at for at, child in enumerate(item.children) if child.type == ")")
        self.run_each(item.children[closing + 1 :])

    def _for(self, node: Node) -> None:
        variable, body = node.child_by_field_name("variable"), node.child_by_field_name("body")
        if variable is None or body is None or node.children[0].type != "for":
            raise LostError("a loop that is not modelled", line_of(node))
        name = self.text_of(variable)
        assignments.check_name(self, name)
        if not any(child.type == "in" for child in node.children):
            raise LostError("a loop over arguments", line_of(node))
        try:
            words = [self.word(value) for value in node.children_by_field_name("value")]
            values = self.expand.fields(words)
        except UnsureError as error:
            self.forget_assigned(node, error)
            self._unsure_loop(lambda: self._unsure_round(name, error, body), error.reason)
            return
        self.state.status = 0
        for value in values:
            self.line = line_of(node)
            self.state.assign(name, value, self.line)
            if self._round(body):
                break

    def _unsure_round(self, name: str, error: UnsureError, body: Node) -> None:
        self.make_unsure(name, error)
        self.run(body)

    def _round(self, body: Node) -> bool:
        """Follow a loop's body once; tell whether the loop is to end."""
        try:
            self.run(body)
        except Jump as jump:
            if jump.kind not in {"break", "continue"}:
                raise
            if jump.levels > 1:
                raise Jump(jump.kind, jump.levels - 1) from jump
            self.state.status = 0
            return jump.kind == "break"
        return False

    def _unsure_loop(self, follow: Callable[[], None], reason: str) -> None:
        """Follow a body until doing it again makes nothing more unsure."""
        for _ in range(10):
            before = self.state.copy()
            self.either(f"a loop depends on {reason}", [lambda: None, follow])
            self.state.status = None
            if before.scopes == self.state.scopes and before.functions == self.state.functions:
                return
        raise LostError("a loop that is not modelled", self.line)

    def _while(self, node: Node) -> None:
        body = node.child_by_field_name("body")
        condition = node.children_by_field_name("condition")
        until = node.children[0].type == "until"
        if body is None or not condition:
            raise LostError("a loop that is not modelled", line_of(node))
        for _ in range(_MOST_ROUNDS):
            self.run_each(condition)
            if self.state.status is None:

                def again() -> None:
                    self.run(body)
                    self.run_each(condition)

                self._unsure_loop(again, self._short(condition[0]))
                return
            if (self.state.status == 0) == until:
                self.state.status = 0
                return
            if self._round(body):
                return
        raise LostError("a loop with too many rounds", line_of(node))

    def _function(self, node: Node) -> None:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name is None or body is None:
            raise LostError("a function that is not understood", line_of(node))
        text = self.text_of(name)
        if text in TAKEN_FUNCTIONS:
            raise LostError(f"a function named {text}, which makepkg uses itself", line_of(node))
        self.state.functions[text] = Function(body, line_of(node), self.tree)
        self.state.status = 0

    def _redirected(self, node: Node) -> None:
        body = node.child_by_field_name("body")
        redirects = node.children_by_field_name("redirect")
        if body is None:
            raise LostError("a redirection without a command", line_of(node))
        certain = all(map(self._is_certain, redirects))
        if certain or body.type in {"command", "test_command"}:
            self.redirected(redirects, lambda: self.run(body))
            if not certain:
                self.state.status = None
            return
        # Where the file cannot be opened, nothing is done.
        ways = [lambda: None, lambda: self.redirected(redirects, lambda: self.run(body))]
        self.either("a file may not be there", ways)
        self.state.status = None

    def _is_certain(self, redirect: Node) -> bool:
        """Tell whether a redirection cannot fail."""
        if redirect.type != "file_redirect":
            return redirect.type == "herestring_redirect"
        destination = redirect.child_by_field_name("destination")
        if destination is None:
            return False
        text = self.text_of(destination)
        return text in _NOWHERE or (">&" in self.text_of(redirect) and text in {"1", "2"})

    def _pipeline(self, node: Node) -> None:
        if any(child.type == "|&" for child in node.children):
            raise LostError("|& is not modelled", line_of(node))
        given, written = self.stdin, ""
        result: str | Unsure = written
        try:
            for stage in node.named_children:
                result = self.apart(lambda stage=stage: self.run(stage))
                self.stdin = None if isinstance(result, Unsure) else result
        finally:
            self.stdin = given
        if isinstance(result, Unsure):
            self.state.status = None
            self.wrote(None, result.reason)
        else:
            self.wrote(result)


def _assign(shell: Interpreter, node: Node) -> None:
    assignments.assign(shell, node)


_STATEMENTS: dict[str, Callable[[Interpreter, Node], None]] = {
    "program": Interpreter.block,
    "do_group": Interpreter.block,
    "compound_statement": Interpreter._group,
    "subshell": Interpreter._subshell,
    "negated_command": Interpreter._negated,
    "list": Interpreter._list,
    "pipeline": Interpreter._pipeline,
    "if_statement": Interpreter._if,
    "case_statement": Interpreter._case,
    "for_statement": Interpreter._for,
    "while_statement": Interpreter._while,
    "function_definition": Interpreter._function,
    "redirected_statement": Interpreter._redirected,
    "variable_assignment": _assign,
    "variable_assignments": lambda shell, node: assignments.assign_each(shell, node),
    "declaration_command": lambda shell, node: assignments.declare(shell, node),
    "unset_command": lambda shell, node: assignments.unset(shell, node),
    "test_command": lambda shell, node: conditions.test(shell, node),
    "command": lambda shell, node: commands.command(shell, node),
}
