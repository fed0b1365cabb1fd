"""The syntax tree of a PKGBUILD, within bounds of size and time."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from caur_ci.errors import GaveUpError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node, Parser, Point

# The largest PKGBUILD seen in public repositories has some 100 kB.
LARGEST = 512 * 1024
# Seconds of processor time, so that a busy machine changes no answer. Real files take 1 to 50 ms.
LONGEST = 0.5
_CHUNK = 64 * 1024
_NUL = b"\0"
_RETURN = b"\r"
# The time that the parser takes between two looks at the clock grows with the number of
# here-documents that are waiting for their text.
_HERE_DOCUMENT = re.compile(rb"<<(?!<)")
_MOST_HERE_DOCUMENTS = 1_000


class UnparsableError(GaveUpError):
    """A file that is no PKGBUILD one can read within the bounds; people have to look at it."""


@dataclass(frozen=True, slots=True)
class SyntaxTree:
    """A PKGBUILD with the syntax tree of tree-sitter-bash.

    `text` has one character for each byte of the file, so that the tree's byte offsets are its
    indices; `decode` makes readable text of a piece of it.
    """

    data: bytes
    text: str
    root: Node
    origin: str

    @property
    def has_errors(self) -> bool:
        """Whether some part of the file is not understood."""
        return self.root.has_error

    def error_lines(self, limit: int = 10) -> list[int]:
        """Return the numbers of up to `limit` lines that are not understood, in their order."""
        lines: dict[int, None] = {}
        for node in _faulty(self.root):
            lines[line_of(node)] = None
            if len(lines) >= limit:
                break
        return list(lines)


def line_of(node: Node) -> int:
    """Return the number of the line where `node` begins, counted from 1."""
    return node.start_point.row + 1


def decode(text: str) -> str:
    """Return a piece of a tree's text as people read it; bytes that are no UTF-8 are kept apart."""
    return text.encode("latin-1").decode("utf-8", "surrogateescape")


def parse(
    data: bytes, *, origin: str = "PKGBUILD", largest: int = LARGEST, longest: float = LONGEST
) -> SyntaxTree:
    """Read a PKGBUILD; `origin` names it in messages.

    A file whose syntax is wrong has a tree all the same: see `has_errors`.

    Raises UnparsableError where it is larger than `largest` bytes, takes more than `longest`
    seconds of processor time, or holds what makes bash read something else than stands there.
    """
    if len(data) > largest:
        raise UnparsableError(f"{origin} has {len(data):,} bytes; {largest:,} are read at most")
    if _NUL in data:
        raise UnparsableError(f"{origin}, line {_line(data, _NUL)}: holds a NUL byte")
    if _RETURN in data:
        # makepkg refuses it as well.
        raise UnparsableError(f"{origin}, line {_line(data, _RETURN)}: holds a carriage return")
    if len(_HERE_DOCUMENT.findall(data)) > _MOST_HERE_DOCUMENTS:
        raise UnparsableError(f"{origin} has more than {_MOST_HERE_DOCUMENTS:,} here-documents")
    root = _root(data, origin, longest)
    return SyntaxTree(data, data.decode("latin-1"), root, origin)


def _line(data: bytes, what: bytes) -> int:
    return data.count(b"\n", 0, data.index(what)) + 1


def _root(data: bytes, origin: str, longest: float) -> Node:
    end = time.thread_time() + longest

    def read(offset: int, _point: Point) -> bytes:
        return data[offset : offset + _CHUNK]

    def is_late(_offset: int, _has_error: bool) -> bool:
        return time.thread_time() > end

    parser = _parser()
    try:
        return parser.parse(read, progress_callback=is_late).root_node
    except ValueError as error:
        raise UnparsableError(f"{origin} takes too long to be read") from error
    finally:
        parser.reset()


def _faulty(node: Node) -> Iterator[Node]:
    """Yield the nodes that stand for an error, without those inside of one."""
    waiting = [node]
    while waiting:
        at = waiting.pop()
        if at.is_error or at.is_missing:
            yield at
        elif at.has_error:
            waiting += reversed(at.children)


@cache
def _parser() -> Parser:
    import tree_sitter_bash  # noqa: PLC0415 - only needed where something has changed
    from tree_sitter import Language, Parser  # noqa: PLC0415

    return Parser(Language(tree_sitter_bash.language()))
