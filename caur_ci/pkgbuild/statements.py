"""The statements of bash, each by the type of its node in the syntax tree."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from caur_ci.pkgbuild import assignments, commands, conditions, control
from caur_ci.pkgbuild.makepkg_names import TAKEN_FUNCTIONS
from caur_ci.pkgbuild.reading import WordReader
from caur_ci.pkgbuild.state import Function
from caur_ci.pkgbuild.syntax import line_of
from caur_ci.pkgbuild.values import LostError, Unsure, UnsureError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from caur_ci.pkgbuild.interpreter import Interpreter

_NOWHERE = frozenset({"/dev/null", "/dev/stderr"})


def _block(shell: Interpreter, node: Node) -> None:
    shell.block(node)


def _group(shell: Interpreter, node: Node) -> None:
    if node.children and node.children[0].type == "((":
        _arithmetic(shell, node)
    else:
        shell.block(node)


def _arithmetic(shell: Interpreter, node: Node) -> None:
    start, end = node.children[0].end_byte, node.children[-1].start_byte
    try:
        word = WordReader(shell.tree, start, end).quoted_text()
        shell.state.status = int(shell.expand.arithmetic(word) == 0)
    except UnsureError as error:
        shell.forget_assigned(node, error)
        shell.state.status = None


def _subshell(shell: Interpreter, node: Node) -> None:
    written = shell.apart(lambda: shell.block(node))
    if isinstance(written, Unsure):
        shell.wrote(None, written.reason)
    else:
        shell.wrote(written)


def _negated(shell: Interpreter, node: Node) -> None:
    shell.run(node.named_children[-1])
    if shell.state.status is not None:
        shell.state.status = int(not shell.state.status)


def _list(shell: Interpreter, node: Node) -> None:
    left, right = (child for child in node.named_children if child.type != "comment")
    operator = next(child.type for child in node.children if not child.is_named)
    shell.run(left)
    shell.line = line_of(node)
    if shell.state.status is None:
        reason = f"the outcome of {shell.short(left)} is not known"
        shell.either(reason, [lambda: None, lambda: shell.run(right)])
        shell.state.status = None
    elif (shell.state.status == 0) == (operator == "&&"):
        shell.run(right)


def _function(shell: Interpreter, node: Node) -> None:
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    if name is None or body is None:
        raise LostError("a function that is not understood", line_of(node))
    text = shell.text_of(name)
    if text in TAKEN_FUNCTIONS:
        raise LostError(f"a function named {text}, which makepkg uses itself", line_of(node))
    shell.state.functions[text] = Function(body, line_of(node), shell.tree)
    shell.state.status = 0


def _redirected(shell: Interpreter, node: Node) -> None:
    body = node.child_by_field_name("body")
    redirects = node.children_by_field_name("redirect")
    if body is None:
        raise LostError("a redirection without a command", line_of(node))
    certain = all(_is_certain(shell, redirect) for redirect in redirects)
    if certain or body.type in {"command", "test_command"}:
        shell.redirected(redirects, lambda: shell.run(body))
        if not certain:
            shell.state.status = None
        return
    # Where the file cannot be opened, nothing is done.
    ways = [lambda: None, lambda: shell.redirected(redirects, lambda: shell.run(body))]
    shell.either("a file may not be there", ways)
    shell.state.status = None


def _is_certain(shell: Interpreter, redirect: Node) -> bool:
    """Tell whether a redirection cannot fail."""
    if redirect.type != "file_redirect":
        return redirect.type == "herestring_redirect"
    destination = redirect.child_by_field_name("destination")
    if destination is None:
        return False
    text = shell.text_of(destination)
    return text in _NOWHERE or (">&" in shell.text_of(redirect) and text in {"1", "2"})


def _pipeline(shell: Interpreter, node: Node) -> None:
    if any(child.type == "|&" for child in node.children):
        raise LostError("|& is not modelled", line_of(node))
    given = shell.stdin
    result: str | Unsure = ""
    try:
        for stage in node.named_children:
            result = shell.apart(partial(shell.run, stage))
            shell.stdin = None if isinstance(result, Unsure) else result
    finally:
        shell.stdin = given
    if isinstance(result, Unsure):
        shell.state.status = None
        shell.wrote(None, result.reason)
    else:
        shell.wrote(result)


STATEMENTS: dict[str, Callable[[Interpreter, Node], None]] = {
    "program": _block,
    "do_group": _block,
    "compound_statement": _group,
    "subshell": _subshell,
    "negated_command": _negated,
    "list": _list,
    "pipeline": _pipeline,
    "if_statement": control.follow_if,
    "case_statement": control.follow_case,
    "for_statement": control.follow_for,
    "while_statement": control.follow_while,
    "function_definition": _function,
    "redirected_statement": _redirected,
    "variable_assignment": assignments.assign,
    "variable_assignments": assignments.assign_each,
    "declaration_command": assignments.declare,
    "unset_command": assignments.unset,
    "test_command": conditions.test,
    "command": commands.command,
}
