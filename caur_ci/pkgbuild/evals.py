"""`eval` of text that is known, as PKGBUILDs use it to make functions for many packages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from caur_ci.pkgbuild.state import Function
from caur_ci.pkgbuild.syntax import UnparsableError, line_of, parse
from caur_ci.pkgbuild.values import LostError, UnsureError
from caur_ci.pkgbuild.words import Command, Literal, Part

if TYPE_CHECKING:
    from tree_sitter import Node

    from caur_ci.pkgbuild.interpreter import Interpreter

_LONGEST = 0.1
_COST = 1_000
# `declare -f` prints the name in its first line and the brace in its second.
_DECLARED = re.compile(
    r"(?:declare|typeset) -f (?P<name>[^|]+?)(?: ?\| ?tail (?:-n ?)?\+(?P<from>[23]))?"
)


def evaluate_text(shell: Interpreter, node: Node) -> None:
    """Follow `eval`, where all of its text is known. Raises LostError where it is not."""
    line = line_of(node)
    try:
        arguments = [shell.word(child) for child in node.children_by_field_name("argument")]
        text = " ".join("".join(_text(shell, part) for part in word) for word in arguments)
        shell.budget.step(_COST + len(text) // 4)
        # So that its lines are counted on from here.
        data = "\n" * (line - 1) + text
        tree = parse(
            data.encode("utf-8", "surrogateescape"), origin=shell.tree.origin, longest=_LONGEST
        )
    except (UnsureError, UnparsableError) as error:
        raise LostError(f"eval: {error}", line) from error
    if tree.has_errors:
        raise LostError("eval of what is not understood", line)
    before, shell.tree = shell.tree, tree
    try:
        shell.state.status = 0
        shell.run(tree.root)
    finally:
        shell.tree, shell.line = before, line


def _text(shell: Interpreter, part: Part) -> str:
    if isinstance(part, Command) and (text := _declared(shell, part.node)) is not None:
        return text
    if not isinstance(part, Literal) and not part.quoted:
        raise UnsureError("words that are not quoted")
    return shell.expand.text((part,))


def _declared(shell: Interpreter, node: Node) -> str | None:
    """Return a function's text for `declare -f NAME`, which bash prints in its own layout.

    What bash makes of either text is the same.
    """
    inner = node.named_children
    if len(inner) != 1 or inner[0].type not in {"declaration_command", "pipeline"}:
        return None
    match = _DECLARED.fullmatch(" ".join(shell.text_of(inner[0]).split()))
    declaration = inner[0] if inner[0].type != "pipeline" else inner[0].named_children[0]
    if match is None or declaration.type != "declaration_command":
        return None
    name = shell.expand.text(shell.word(declaration.named_children[-1]))
    function = shell.state.functions.get(name)
    if not isinstance(function, Function) or function.body.type != "compound_statement":
        raise UnsureError(f"the text of {name}")
    body = function.tree.data[function.body.start_byte : function.body.end_byte].decode(
        "utf-8", "surrogateescape"
    )
    if match["from"] == "3":
        return f"\n{body.removeprefix('{')}\n"
    return f"{body}\n" if match["from"] else f"{name} ()\n{body}\n"
