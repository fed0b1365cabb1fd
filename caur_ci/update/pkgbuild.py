"""Reads PKGBUILDs without running them, as far as they are plain."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from caur_ci.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node, Parser

_VERSION_FIELDS = frozenset({"pkgver", "pkgrel"})
_SUMS = re.compile(r"(?:ck|md5|sha1|sha224|sha256|sha384|sha512|b2)sums(?:_[a-z0-9_]+)?")
_VALUE = re.compile(rb"[A-Za-z0-9._+~]+")
_SUM = re.compile(rb"[0-9a-fA-F]+")
_SKIP = b"SKIP"
# Holds a place in the text; no file that is read here has it.
_MARK = b"\0"


class UnreadableError(InputError):
    """A PKGBUILD whose syntax is not understood with certainty."""


@dataclass(frozen=True, slots=True)
class PkgbuildOutline:
    """A PKGBUILD without its version and checksums.

    `text` has marks in their places: two that are the same but for their versions, and for sums of
    the same kind and strength, have the same text. `pkgver` is empty where it is not plain.
    """

    text: bytes
    pkgver: str


def outline(pkgbuild: bytes) -> PkgbuildOutline:
    """Take version and checksums out of a PKGBUILD, where they are plain words at its top level.

    Raises UnreadableError where its syntax is not understood.
    """
    if _MARK in pkgbuild:
        raise UnreadableError("the PKGBUILD holds a NUL byte")
    root = _parser().parse(pkgbuild).root_node
    if root.has_error:
        raise UnreadableError("the syntax of the PKGBUILD is not understood")
    parts: list[bytes] = []
    pkgver = ""
    end = 0
    for name, node in _plain_values(root):
        value = _literal(node)
        parts += [pkgbuild[end : node.start_byte], _MARK, _kind(name, value), _MARK]
        end = node.end_byte
        if name == "pkgver":
            pkgver = value.decode()
    return PkgbuildOutline(b"".join((*parts, pkgbuild[end:])), pkgver)


def _plain_values(root: Node) -> Iterator[tuple[str, Node]]:
    """Yield the values to take out, in the order of the text, with their variables' names."""
    for statement in root.named_children:
        if statement.type != "variable_assignment":
            continue
        variable, value = statement.named_children[0], statement.named_children[-1]
        name = (variable.text or b"").decode("utf-8", "replace")
        if name in _VERSION_FIELDS and _VALUE.fullmatch(_literal(value)):
            yield name, value
        elif _SUMS.fullmatch(name) and value.type == "array":
            for element in value.named_children:
                literal = _literal(element)
                if literal == _SKIP or _SUM.fullmatch(literal):
                    yield name, element


def _literal(node: Node) -> bytes:
    """Return the value of a word that bash would not expand, else nothing."""
    text = node.text or b""
    if node.type in {"word", "number"}:
        return text
    if node.type == "raw_string":
        return text[1:-1]
    plain = all(child.type == "string_content" for child in node.named_children)
    return text[1:-1] if node.type == "string" and plain else b""


def _kind(name: str, value: bytes) -> bytes:
    if name in _VERSION_FIELDS:
        return b"version"
    return _SKIP if value == _SKIP else b"sum of %d" % len(value)


@cache
def _parser() -> Parser:
    import tree_sitter_bash  # noqa: PLC0415 - only needed where something has changed
    from tree_sitter import Language, Parser  # noqa: PLC0415

    return Parser(Language(tree_sitter_bash.language()))
