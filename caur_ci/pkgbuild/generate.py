"""The `.SRCINFO` of a package's folder: evaluated, or from makepkg where that is not sure."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, InputError
from caur_ci.pkgbuild.compare import Difference, compare_sections, read_sections
from caur_ci.pkgbuild.evaluate import evaluate
from caur_ci.pkgbuild.makepkg import printed_srcinfo
from caur_ci.pkgbuild.srcinfo import doubts, render_srcinfo
from caur_ci.pkgbuild.syntax import UnparsableError, parse

if TYPE_CHECKING:
    from caur_ci.pkgbuild.srcinfo import Doubt

FILE = ".SRCINFO"


@dataclass(frozen=True, slots=True)
class Generated:
    """The `.SRCINFO` that belongs to a PKGBUILD.

    `doubts` say why makepkg was asked; `pkgver_moves` whether the PKGBUILD has a function pkgver().
    """

    srcinfo: bytes
    doubts: tuple[Doubt, ...] = ()
    pkgver_moves: bool = False


def generate(folder: Path, pkgbuild: bytes) -> Generated:
    """Return the `.SRCINFO` of the package in `folder`.

    Raises CaurError where neither the evaluation is sure nor makepkg has an answer.
    """
    origin = f"{folder.name}/PKGBUILD"
    unsure: tuple[Doubt, ...] = ()
    moves = b"pkgver()" in pkgbuild
    try:
        evaluation = evaluate(
            parse(pkgbuild, origin=origin), files=[path.name for path in folder.iterdir()]
        )
        unsure = tuple(doubts(evaluation))
        moves = moves or "pkgver" in evaluation.functions
        if not unsure:
            return Generated(render_srcinfo(evaluation), (), moves)
    except UnparsableError as error:
        reason = error.message
    else:
        reason = f"{origin}, {unsure[0]}"
    try:
        return Generated(printed_srcinfo(folder), unsure, moves)
    except CaurError as error:
        raise InputError(f"{error.message}\n{reason}", hint=error.hint) from error


def differences(generated: Generated, committed: bytes, *, origin: str) -> list[Difference]:
    """Return where a committed `.SRCINFO` differs in meaning. Raises InputError."""
    return compare_sections(
        read_sections(generated.srcinfo, origin=origin),
        read_sections(committed, origin=origin),
        pkgver_moves=generated.pkgver_moves,
    )


def write_srcinfo(folder: Path, srcinfo: bytes) -> None:
    """Replace the folder's `.SRCINFO` at once: whoever reads it sees the old one or the new one.

    Raises CaurError.
    """
    handle, name = tempfile.mkstemp(prefix=f"{FILE}.", dir=folder)
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(srcinfo)
            os.fchmod(file.fileno(), 0o644)
        path.replace(folder / FILE)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise CaurError(f"{folder / FILE} cannot be written: {error.strerror}") from error
