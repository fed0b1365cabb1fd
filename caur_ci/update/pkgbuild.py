"""Reads PKGBUILDs without running them, as far as they are plain.

The parser is somebody else's, and what it reads is a stranger's: here-documents by the thousand
take it minutes. So it runs in a confined process.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from caur_ci.confined import Confined
from caur_ci.errors import GaveUpError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tree_sitter import Node, Parser

_VERSION_FIELDS = frozenset({"pkgver", "pkgrel"})
_SUMS = re.compile(r"(?:ck|md5|sha1|sha224|sha256|sha384|sha512|b2)sums(?:_[a-z0-9_]+)?")
_ASSIGNMENT = re.compile(
    rb"(?<![A-Za-z0-9_-])(pkgver|pkgrel|[a-z0-9]+sums(?:_[a-z0-9_]+)?)(?:\[[^\]]*\])?\+?="
)
_VALUE = re.compile(rb"[A-Za-z0-9._+~]+")
_SUM = re.compile(rb"[0-9a-fA-F]+")
_SKIP = b"SKIP"
# Holds a place in the text; no file that is read here has it.
_MARK = b"\0"
# A hundred times what PKGBUILDs have, but for those with lists of files in them.
MAX_SIZE = 512 * 1024


class UnreadableError(InputError):
    """A PKGBUILD whose syntax is not understood with certainty."""


@dataclass(frozen=True, slots=True)
class PkgbuildOutline:
    """A PKGBUILD without its version and checksums.

    `digest` is that of the text with marks in their places: two that are the same but for their
    versions, and for sums of the same kind and strength, have the same. `pkgver` and `pkgrel` are
    empty where they are not plain. `sums` has the arrays that are plain, by name.
    """

    digest: str
    pkgver: str
    pkgrel: str
    sums: Mapping[str, tuple[str, ...]]


def outline(pkgbuild: bytes) -> PkgbuildOutline:
    """Take version and checksums out of a PKGBUILD, where they are plain words at its top level.

    Raises UnreadableError where its syntax is not understood, or where it sets one of them more
    than once. Only for processes with limits: see `outlines`.
    """
    if _MARK in pkgbuild:
        raise UnreadableError("the PKGBUILD holds a NUL byte")
    root = _parser().parse(pkgbuild).root_node
    if root.has_error:
        raise UnreadableError("the syntax of the PKGBUILD is not understood")
    _check_assigned_once(root, pkgbuild)
    text = hashlib.sha256()
    values: dict[str, list[str]] = {}
    end = 0
    for name, node in _plain_values(root):
        value = _literal(node)
        text.update(b"".join((pkgbuild[end : node.start_byte], _MARK, _kind(name, value), _MARK)))
        end = node.end_byte
        values.setdefault(name, []).append(value.decode())
    text.update(pkgbuild[end:])
    return PkgbuildOutline(
        digest=text.hexdigest(),
        pkgver="".join(values.pop("pkgver", ())),
        pkgrel="".join(values.pop("pkgrel", ())),
        sums={name: tuple(sums) for name, sums in values.items()},
    )


def outlines(*pkgbuilds: bytes) -> list[PkgbuildOutline]:
    """Return the `outline` of each, made by another process with limits of time and memory.

    Raises UnreadableError where one of them is not understood, or not within these limits.
    """
    if any(len(pkgbuild) > MAX_SIZE for pkgbuild in pkgbuilds):
        raise UnreadableError(f"the PKGBUILD has more than {MAX_SIZE} bytes")
    try:
        with Confined() as confined:
            found = confined.call(_outlined, [text.decode("latin-1") for text in pkgbuilds])
    except GaveUpError as error:
        raise UnreadableError(f"the PKGBUILD: {error.message}") from error
    except InputError as error:
        raise UnreadableError(error.message) from error
    return [
        PkgbuildOutline(
            digest=one["digest"],
            pkgver=one["pkgver"],
            pkgrel=one["pkgrel"],
            sums={name: tuple(sums) for name, sums in one["sums"].items()},
        )
        for one in found
    ]


def _outlined(pkgbuilds: list[str]) -> list[dict[str, Any]]:
    return [asdict(outline(pkgbuild.encode("latin-1"))) for pkgbuild in pkgbuilds]


def _check_assigned_once(root: Node, pkgbuild: bytes) -> None:
    """Raise UnreadableError where a version or checksums are set again, wherever that is."""
    counts = Counter(
        match[1].decode()
        for match in _ASSIGNMENT.finditer(pkgbuild)
        if not _is_comment(root, match.start(1))
    )
    again = sorted(name for name, count in counts.items() if count > 1)
    if again:
        raise UnreadableError(f"the PKGBUILD sets {' and '.join(again)} more than once")


def _is_comment(root: Node, position: int) -> bool:
    node = root.descendant_for_byte_range(position, position + 1)
    return node is not None and node.type == "comment"


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
            elements = [it for it in value.named_children if it.type != "comment"]
            if all(_is_sum(_literal(element)) for element in elements):
                yield from ((name, element) for element in elements)


def _is_sum(literal: bytes) -> bool:
    return literal == _SKIP or _SUM.fullmatch(literal) is not None


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


def _parser() -> Parser:
    import tree_sitter_bash  # noqa: PLC0415 - only needed where something has changed
    from tree_sitter import Language, Parser  # noqa: PLC0415

    return Parser(Language(tree_sitter_bash.language()))
