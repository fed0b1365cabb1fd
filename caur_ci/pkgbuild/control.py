"""`if`, `case` and loops: what is taken where it is known, all ways where it is not."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from caur_ci.pkgbuild.assignments import check_name
from caur_ci.pkgbuild.jump import Jump
from caur_ci.pkgbuild.syntax import line_of
from caur_ci.pkgbuild.values import LostError, UnsureError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from caur_ci.pkgbuild.interpreter import Interpreter

_MOST_ROUNDS = 2_000


def follow_if(shell: Interpreter, node: Node) -> None:
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
    _branch(shell, condition, body, others)


def _branch(
    shell: Interpreter, condition: list[Node], body: list[Node], others: list[Node]
) -> None:
    shell.run_each(condition)
    line = line_of(next(node for node in condition if node.is_named))
    shell.line = line
    if shell.state.status is None:
        reason = f"it depends on {shell.short(condition[0])}"
        shell.either(reason, [lambda: shell.run_each(body), lambda: _otherwise(shell, others)])
    elif shell.state.status == 0:
        shell.run_each(body)
    else:
        _otherwise(shell, others)


def _otherwise(shell: Interpreter, others: list[Node]) -> None:
    if not others:
        shell.state.status = 0
        return
    clause = others[0]
    if clause.type == "else_clause":
        shell.block(clause)
        return
    then = next(at for at, child in enumerate(clause.children) if child.type == "then")
    _branch(shell, clause.children[1:then], clause.children[then + 1 :], others[1:])


def follow_case(shell: Interpreter, node: Node) -> None:
    items = [child for child in node.named_children if child.type == "case_item"]
    subject = node.child_by_field_name("value")
    try:
        text = shell.expand.text(shell.word(subject)) if subject is not None else ""
    except UnsureError as error:
        shell.forget_assigned(node, error)
        ways = [partial(_case_body, shell, item) for item in items]
        shell.either(f"it depends on {error.reason}", [*ways, lambda: None])
        return
    shell.state.status = 0
    # What ended the items that were run: `;&` goes on without looking at the next pattern.
    ending = ";;&"
    for at, item in enumerate(items):
        matches = ending == ";&" or _case_matches(shell, item, text)
        if matches is None:
            ways = [partial(_case_body, shell, item) for item in items[at:]]
            shell.either("a pattern is not modelled", [*ways, lambda: None])
            return
        if matches:
            ending = _case_ending(item)
            _case_statements(shell, item)
            if ending == ";;":
                return


def _case_matches(shell: Interpreter, item: Node, text: str) -> bool | None:
    try:
        return any(
            shell.expand.pattern(shell.word(value)).matches(text, shell.budget)
            for value in item.children_by_field_name("value")
        )
    except UnsureError as error:
        shell.forget_assigned(item, error)
        return None


def _case_body(shell: Interpreter, item: Node) -> None:
    if item.child_by_field_name("fallthrough") is not None:
        raise LostError("a case that goes on with the next one", line_of(item))
    _case_statements(shell, item)


def _case_ending(item: Node) -> str:
    fallthrough = item.child_by_field_name("fallthrough")
    return ";;" if fallthrough is None else fallthrough.type


def _case_statements(shell: Interpreter, item: Node) -> None:
    closing = next(at for at, child in enumerate(item.children) if child.type == ")")
    shell.run_each(item.children[closing + 1 :])


def follow_for(shell: Interpreter, node: Node) -> None:
    variable, body = node.child_by_field_name("variable"), node.child_by_field_name("body")
    if variable is None or body is None or node.children[0].type != "for":
        raise LostError("a loop that is not modelled", line_of(node))
    name = shell.text_of(variable)
    check_name(shell, name)
    if not any(child.type == "in" for child in node.children):
        raise LostError("a loop over arguments", line_of(node))
    try:
        words = [shell.word(value) for value in node.children_by_field_name("value")]
        values = shell.expand.fields(words)
    except UnsureError as error:
        shell.forget_assigned(node, error)
        _unsure_loop(shell, partial(_unsure_round, shell, name, error, body), error.reason)
        return
    shell.state.status = 0
    for value in values:
        shell.line = line_of(node)
        shell.state.assign(name, value, shell.line)
        if _round(shell, body):
            break


def _unsure_round(shell: Interpreter, name: str, error: UnsureError, body: Node) -> None:
    shell.make_unsure(name, error)
    shell.run(body)


def _round(shell: Interpreter, body: Node) -> bool:
    """Follow a loop's body once; tell whether the loop is to end."""
    try:
        shell.run(body)
    except Jump as jump:
        if jump.kind not in {"break", "continue"}:
            raise
        if jump.levels > 1:
            raise Jump(jump.kind, jump.levels - 1) from jump
        shell.state.status = 0
        return jump.kind == "break"
    return False


def _unsure_loop(shell: Interpreter, follow: Callable[[], None], reason: str) -> None:
    """Follow a body until doing it again makes nothing more unsure."""
    for _ in range(10):
        before = shell.state.copy()
        shell.either(f"a loop depends on {reason}", [lambda: None, follow])
        shell.state.status = None
        if before.scopes == shell.state.scopes and before.functions == shell.state.functions:
            return
    raise LostError("a loop that is not modelled", shell.line)


def follow_while(shell: Interpreter, node: Node) -> None:
    body = node.child_by_field_name("body")
    condition = node.children_by_field_name("condition")
    until = node.children[0].type == "until"
    if body is None or not condition:
        raise LostError("a loop that is not modelled", line_of(node))
    for _ in range(_MOST_ROUNDS):
        shell.run_each(condition)
        if shell.state.status is None:

            def again() -> None:
                shell.run(body)
                shell.run_each(condition)

            _unsure_loop(shell, again, shell.short(condition[0]))
            return
        if (shell.state.status == 0) == until:
            shell.state.status = 0
            return
        if _round(shell, body):
            return
    raise LostError("a loop with too many rounds", line_of(node))
