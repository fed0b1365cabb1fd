"""Changes values in a PKGBUILD and leaves everything else as it is, to the byte."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from caur_ci.pkgbuild.syntax import line_of, parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tree_sitter import Node

    from caur_ci.pkgbuild.syntax import SyntaxTree


class RewriteError(InputError):
    """A value cannot surely be changed in a PKGBUILD as it is written; people can."""


# Plain in every kind of quotes, and without any.
_PLAIN = re.compile(r"[A-Za-z0-9._+:@%/,-]*")
_QUOTED = {"string": '"', "raw_string": "'", "word": "", "number": ""}


def set_text(tree: SyntaxTree, name: str, value: str) -> SyntaxTree:
    """Return the PKGBUILD with another value for a variable, in the quotes that it has.

    Raises RewriteError where the variable is not assigned exactly once at the top level, as plain
    text, or where `value` has characters that would need quotes of their own.
    """
    _check_plain(value)
    node = _only_assignment(tree, name)
    old = node.child_by_field_name("value")
    if old is None:
        return _replaced(tree, [(node.end_byte, node.end_byte, value)])
    return _replaced(tree, [(old.start_byte, old.end_byte, _in_quotes_of(tree, old, value))])


def set_elements(tree: SyntaxTree, name: str, values: Sequence[str | None]) -> SyntaxTree:
    """Return the PKGBUILD with other elements in an array, as for sums; its layout stays.

    None leaves an element as it is. Raises RewriteError where the array is not assigned exactly
    once at the top level, with as many elements as there are `values`, those to be replaced plain,
    or where one of `values` is not plain.
    """
    changes = []
    for element, value in zip(_elements(tree, name, len(values)), values, strict=True):
        if value is not None:
            _check_plain(value)
            new = _in_quotes_of(tree, element, value)
            changes.append((element.start_byte, element.end_byte, new))
    return _replaced(tree, changes)


def replace_in_elements(
    tree: SyntaxTree, name: str, replacements: Sequence[Mapping[re.Pattern[str], str]]
) -> SyntaxTree:
    """Return the PKGBUILD with pieces of the elements of an array exchanged, as for sources.

    `replacements` has for each element what to look for, each with what takes its place. What an
    expansion gives is not looked at. Raises RewriteError as `set_elements` does.
    """
    changes = []
    elements = _elements(tree, name, len(replacements))
    for element, pieces in zip(elements, replacements, strict=True):
        for new in pieces.values():
            _check_plain(new)
        old = tree.text[element.start_byte : element.end_byte]
        text = exchanged(old, pieces)
        if text != old:
            changes.append((element.start_byte, element.end_byte, text))
    return _replaced(tree, changes)


def exchanged(text: str, pieces: Mapping[re.Pattern[str], str]) -> str:
    """Return a text with pieces exchanged; what took the place of one is not looked at again."""
    if not pieces:
        return text
    either = re.compile("|".join(f"(?:{pattern.pattern})" for pattern in pieces))

    def other(found: re.Match[str]) -> str:
        start, end = found.span()
        return next(
            new
            for pattern, new in pieces.items()
            if (match := pattern.match(text, start)) and match.end() == end
        )

    return either.sub(other, text)


def plain_text(tree: SyntaxTree, name: str) -> str | None:
    """Return the value of a variable that `set_text` can change, None for others."""
    try:
        value = _only_assignment(tree, name).child_by_field_name("value")
        if value is not None:
            _in_quotes_of(tree, value, "")
    except RewriteError:
        return None
    if value is None:
        return ""
    text = tree.text[value.start_byte : value.end_byte]
    return text.strip(_QUOTED[value.type]) if _QUOTED[value.type] else text


def _elements(tree: SyntaxTree, name: str, count: int) -> list[Node]:
    node = _only_assignment(tree, name)
    array = node.child_by_field_name("value")
    elements = [] if array is None else [n for n in array.named_children if n.type != "comment"]
    if array is None or array.type != "array" or len(elements) != count:
        raise RewriteError(
            f"{tree.origin}, line {line_of(node)}: {name} is no array of {count} elements"
        )
    return elements


def _check_plain(value: str) -> None:
    if not _PLAIN.fullmatch(value):
        raise RewriteError(f"{value[:80]!r} cannot be written into a PKGBUILD as it is")


def _only_assignment(tree: SyntaxTree, name: str) -> Node:
    if tree.has_errors:
        raise RewriteError(f"{tree.origin}: the syntax is not understood")
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
        raise RewriteError(
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
        raise RewriteError(
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
