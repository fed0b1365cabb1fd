"""Changes values in a PKGBUILD and leaves everything else as it is, to the byte."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from caur_ci.pkgbuild.syntax import line_of, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tree_sitter import Node

    from caur_ci.pkgbuild.syntax import SyntaxTree

# Plain in every kind of quotes, and without any.
_PLAIN = re.compile(r"[A-Za-z0-9._+:@%/,-]*")
_QUOTED = {"string": '"', "raw_string": "'", "word": "", "number": ""}


def set_text(tree: SyntaxTree, name: str, value: str) -> SyntaxTree:
    """Return the PKGBUILD with another value for a variable, in the quotes that it has.

    Raises InputError where the variable is not assigned exactly once at the top level, as plain
    text, or where `value` has characters that would need quotes of their own.
    """
    _check_plain(value)
    node = _only_assignment(tree, name)
    old = node.child_by_field_name("value")
    if old is None:
        return _replaced(tree, [(node.end_byte, node.end_byte, value)])
    return _replaced(tree, [(old.start_byte, old.end_byte, _in_quotes_of(tree, old, value))])


def set_elements(tree: SyntaxTree, name: str, values: Sequence[str]) -> SyntaxTree:
    """Return the PKGBUILD with other elements in an array, as for sums; its layout stays.

    Raises InputError where the array is not assigned exactly once at the top level, with as many
    elements as there are `values`, all of them plain, or where one of `values` is not plain.
    """
    node = _only_assignment(tree, name)
    array = node.child_by_field_name("value")
    elements = [] if array is None else [n for n in array.named_children if n.type != "comment"]
    if array is None or array.type != "array" or len(elements) != len(values):
        raise InputError(
            f"{tree.origin}, line {line_of(node)}: {name} is no array of {len(values)} elements"
        )
    changes = []
    for element, value in zip(elements, values, strict=True):
        _check_plain(value)
        new = _in_quotes_of(tree, element, value)
        changes.append((element.start_byte, element.end_byte, new))
    return _replaced(tree, changes)


def _check_plain(value: str) -> None:
    if not _PLAIN.fullmatch(value):
        raise InputError(f"{value[:80]!r} cannot be written into a PKGBUILD as it is")


def _only_assignment(tree: SyntaxTree, name: str) -> Node:
    if tree.has_errors:
        raise InputError(f"{tree.origin}: the syntax is not understood")
    found = [node for node in _all_assignments(tree.root) if _name(tree, node) == name]
    top = [
        node
        for node in found
        if node.parent is not None
        and (
            node.parent.type == "program"
            or (
                node.parent.type == "variable_assignments"
                and node.parent.parent is not None
                and node.parent.parent.type == "program"
            )
        )
    ]
    if len(found) != 1 or len(top) != 1 or top[0].children[1].type != "=":
        raise InputError(
            f"{tree.origin}: {name} is not set exactly once, in a line of its own",
            hint=f"Write {name} by hand.",
        )
    return top[0]


def _all_assignments(root: Node) -> list[Node]:
    found = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.type == "variable_assignment":
            found.append(node)
        waiting += node.named_children
    return found


def _name(tree: SyntaxTree, node: Node) -> str:
    target = node.child_by_field_name("name")
    if target is not None and target.type == "subscript":
        target = target.child_by_field_name("name")
    return "" if target is None else tree.text[target.start_byte : target.end_byte]


def _in_quotes_of(tree: SyntaxTree, node: Node, value: str) -> str:
    """Return `value` in the quotes of a node that is plain text."""
    quote = _QUOTED.get(node.type)
    text = tree.text[node.start_byte : node.end_byte]
    expands = any(child.type != "string_content" for child in node.named_children)
    if quote is None or expands or "\\" in text:
        raise InputError(
            f"{tree.origin}, line {line_of(node)}: {text[:80]!r} is no plain text",
            hint="Write it by hand.",
        )
    return f"{quote}{value}{quote}"


def _replaced(tree: SyntaxTree, changes: Sequence[tuple[int, int, str]]) -> SyntaxTree:
    """Return the PKGBUILD with pieces exchanged; they are in the order of the text."""
    parts: list[bytes] = []
    at = 0
    for start, end, value in changes:
        parts += (tree.data[at:start], value.encode())
        at = end
    return parse(b"".join((*parts, tree.data[at:])), origin=tree.origin)
