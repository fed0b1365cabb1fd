"""What package functions say about their packages.

makepkg does not run them for that: it takes the lines of the function, as `declare -f` prints it,
that begin with `field=` or `field+=`, whatever they are inside of, and evaluates these alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from caur_ci.pkgbuild.assignments import assigned_value
from caur_ci.pkgbuild.environment import SET_LATER
from caur_ci.pkgbuild.schema import ARRAYS, BY_ARCHITECTURE, STRINGS
from caur_ci.pkgbuild.state import Function
from caur_ci.pkgbuild.syntax import line_of
from caur_ci.pkgbuild.values import Array, LostError, Shape, Unsure, Value, Variable
from caur_ci.pkgbuild.wordlist import words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from caur_ci.pkgbuild.interpreter import Interpreter

_FIELDS = frozenset({*ARRAYS, *STRINGS})
# Nodes whose own statements `declare -f` prints on lines of their own.
_GROUPS = words_of("""
    compound_statement do_group if_statement elif_clause else_clause case_statement case_item
    for_statement while_statement c_style_for_statement function_definition redirected_statement
    subshell list negated_command pipeline
    """)
_MULTILINE = frozenset(
    {"heredoc_body", "string", "raw_string", "ansi_c_string", "command_substitution"}
)
_CONDITIONAL = frozenset({"if_statement", "elif_clause", "while_statement"})


class _Line(NamedTuple):
    """A line of a function that makepkg takes for an assignment; `plain` if it is nothing else."""

    field: str
    node: Node
    plain: bool


def find_overrides(shell: Interpreter) -> dict[str, dict[str, Variable]]:
    """Return the fields that each package's function sets; a field that is not sure is Unsure."""
    packages = shell.state.find("pkgname")
    if packages is None or isinstance(packages.value, Unsure):
        return {}
    names = (packages.value,) if isinstance(packages.value, str) else packages.value.values
    found: dict[str, dict[str, Variable]] = {}
    for name in names:
        function = shell.state.functions.get(
            f"package_{name}", shell.state.functions.get("package")
        )
        if isinstance(function, Function):
            found[name] = _of_package(shell, name, names[0], function)
    return found


def _of_package(
    shell: Interpreter, package: str, first: str, function: Function
) -> dict[str, Variable]:
    tree, shell.tree = shell.tree, function.tree
    lines: dict[str, list[_Line]] = {}
    for line in _lines(shell, function.body, starts_line=True):
        lines.setdefault(line.field, []).append(line)
    before = shell.state
    shell.state = before.copy()
    _prepare(shell, package, first)
    try:
        return {field: _value(shell, field, several) for field, several in lines.items()}
    finally:
        shell.state, shell.tree = before, tree


def _prepare(shell: Interpreter, package: str, first: str) -> None:
    """Set what is set where makepkg evaluates the lines."""
    state = shell.state
    base = state.find("pkgbase")
    if base is None or base.value == "":
        state.assign("pkgbase", first, 0)
    state.positional = None
    hidden = Unsure("a variable of makepkg's own", 0, Shape.OPAQUE)
    state.scopes.append({name: Variable(hidden, 0) for name in SET_LATER})
    state.scopes[-1]["pkgname"] = Variable(package, 0)


def _value(shell: Interpreter, field: str, lines: list[_Line]) -> Variable:
    variable = shell.state.find(field)
    value: Value | None = None if variable is None else variable.value
    wants_array = field not in STRINGS
    number = 0
    for line in lines:
        number = line_of(line.node)
        if not line.plain:
            unsure = Unsure("more than an assignment in a line of a package function", number)
            return Variable(unsure, number)
        given = line.node.child_by_field_name("value")
        if (given is not None and given.type == "array") != wants_array:
            return Variable(Unsure("an array for text, or text for an array", number), number)
        if ":=" in shell.text_of(line.node):
            return Variable(Unsure("an assignment within another one", number), number)
        shell.line = number
        value = assigned_value(shell, line.node, value)
        if isinstance(value, Unsure):
            return Variable(value, number)
        if "\n" in (value if isinstance(value, str) else "".join(value.values)):
            return Variable(
                Unsure("a value of several lines in a package function", number), number
            )
    return Variable(value if value is not None else Array() if wants_array else "", number)


def _lines(shell: Interpreter, node: Node, *, starts_line: bool) -> Iterator[_Line]:
    """Yield the assignments to fields that stand at the beginning of a line of `declare -f`."""
    waiting = [(node, starts_line, 0)]
    while waiting:
        at, starts, depth = waiting.pop()
        shell.budget.step()
        if depth > 200:
            raise LostError("statements too deep inside of each other", line_of(at))
        if at.type in {"variable_assignment", "variable_assignments", "command"} and starts:
            yield from _assignments(shell, at)
        _check_texts(shell, at)
        waiting += [
            (child, inner, depth + 1) for child, inner in reversed(list(_inside(at, starts=starts)))
        ]


def _inside(node: Node, *, starts: bool) -> Iterator[tuple[Node, bool]]:
    """Yield what is inside of a node, and whether it begins a line there."""
    first = True
    for child in node.named_children:
        if node.type in {"list", "pipeline", "redirected_statement"}:
            # Behind `&&`, only what is in a group of its own begins a line.
            yield child, starts and first
        elif node.type in {"negated_command", "subshell"}:
            yield child, node.type == "subshell" and not first
        else:
            yield child, node.type in _GROUPS
        first = False


def _assignments(shell: Interpreter, node: Node) -> Iterator[_Line]:
    first = node if node.type == "variable_assignment" else node.named_children[0]
    if first.type != "variable_assignment":
        return
    target = first.child_by_field_name("name")
    name = "" if target is None or target.type == "subscript" else shell.text_of(target)
    if not _is_field(name):
        return
    parent, following = node.parent, node.next_sibling
    alone = parent is None or parent.type not in {"list", "pipeline", "redirected_statement"}
    in_background = following is not None and following.type == "&"
    empty_at_end = first.child_by_field_name("value") is None
    alone = alone and not in_background and not _is_condition(node)
    plain = node.type == "variable_assignment" and alone and not empty_at_end
    yield _Line(name, first, plain or (empty_at_end and _ends_line(node, alone=alone)))


def _is_condition(node: Node) -> bool:
    """Tell whether a statement is the condition of `if` or `while`, which share its line."""
    following = node.next_sibling if node.parent and node.parent.type in _CONDITIONAL else None
    while following is not None:
        if following.type in {"then", "do_group"}:
            return True
        following = following.next_sibling
    return False


def _ends_line(node: Node, *, alone: bool) -> bool:
    """Tell whether `declare -f` surely prints `;` behind an assignment of nothing."""
    following = node.next_named_sibling
    while following is not None and following.type == "comment":
        following = following.next_named_sibling
    return alone and node.type == "variable_assignment" and following is not None


def _is_field(name: str) -> bool:
    if name in _FIELDS:
        return True
    base = name.partition("_")[0]
    return base in BY_ARCHITECTURE and "_" in name


def _check_texts(shell: Interpreter, node: Node) -> None:
    """Raise LostError where a text of several lines has one that looks like an assignment."""
    if node.type not in _MULTILINE:
        return
    # The blanks that a here-document begins with do not belong to its node.
    whole = shell.tree.text
    start = len(whole[: node.start_byte].rstrip(" \t"))
    text = whole[start : node.end_byte]
    if node.type == "ansi_c_string":
        text = text.replace("\\n", "\n")
    # bash prints the statements of a command with blanks before them.
    blanks = "*" if node.type == "command_substitution" else "+"
    for match in re.finditer(rf"\n[ \t]{blanks}([a-z0-9_]+)\+?=", f"\n{text}"):
        if _is_field(match[1]):
            raise LostError(
                f"a text in a package function has a line that makepkg takes for {match[1]}",
                line_of(node),
            )
