"""Fields: how bash splits what expansions give, and what it looks for among files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.pkgbuild.patterns import Pattern
from caur_ci.pkgbuild.values import UnsureError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caur_ci.pkgbuild.expansions import Piece, Shell

_BLANKS = frozenset(" \t\n")
_Field = list[tuple[str, bool]]


def as_fields(pieces: Iterable[Piece | None], ifs: str, shell: Shell) -> list[str]:
    """Return the fields that pieces of text make; None stands between two of them.

    Raises UnsureError.
    """
    fields: list[_Field] = []
    field: _Field | None = None
    pieces = list(pieces)
    for piece in pieces:
        if piece is None:
            if field is not None:
                fields.append(field)
            field = None
        elif piece.splits:
            field = _split(fields, field, piece.text, ifs)
        elif piece.text or piece.quoted:
            field = [*(field or ()), (piece.text, piece.quoted)]
    if field is not None:
        fields.append(field)
    found = [_without_files(field, shell) for field in fields]
    if "" in found and any(piece is not None and piece.is_none for piece in pieces):
        raise UnsureError("elements of an empty array beside empty text")
    return found


def _split(fields: list[_Field], field: _Field | None, text: str, ifs: str) -> _Field | None:
    """Add to `field` what follows it; put all fields that end there to `fields`."""
    if not ifs or not any(char in ifs for char in text):
        return [*(field or ()), (text, False)] if text else field
    if not _BLANKS.issuperset(ifs):
        raise UnsureError("fields split by another IFS")
    current: list[str] = []
    for char in text:
        if char not in ifs:
            current.append(char)
            continue
        if current:
            field = [*(field or ()), ("".join(current), False)]
            current.clear()
        if field is not None:
            fields.append(field)
            field = None
    return [*(field or ()), ("".join(current), False)] if current else field


def _without_files(field: _Field, shell: Shell) -> str:
    """Return the field's text, once it is clear that it names no files by a pattern."""
    text = "".join(part for part, _ in field)
    shell.budget.made(len(text))
    shown = "".join(part if not quoted else "\0" * len(part) for part, quoted in field)
    if not any(char in shown for char in "*?["):
        return text
    if shell.files is None:
        raise UnsureError("a pattern of file names")
    first = shown.partition("/")[0]
    if not any(char in first for char in "*?["):
        if text.startswith("/") or text[: len(first)] in {*shell.files, ".", ".."}:
            raise UnsureError("a pattern of file names")
        return text
    pattern = Pattern.of(_first_component(field))
    names = [name for name in shell.files if not name.startswith(".") or first.startswith(".")]
    if any(pattern.matches(name, shell.budget) for name in names):
        raise UnsureError("a pattern of file names")
    return text


def _first_component(field: _Field) -> _Field:
    found: _Field = []
    for part, quoted in field:
        before, slash, _ = part.partition("/")
        found.append((before, quoted))
        if slash:
            break
    return found
