"""The `.SRCINFO` of a package's folder: evaluated, or from makepkg where that is not sure."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, InputError
from caur_ci.pkgbuild.foreign import evaluated_srcinfo, srcinfo_differences
from caur_ci.pkgbuild.makepkg import printed_srcinfo

if TYPE_CHECKING:
    from caur_ci.confined import Confined
    from caur_ci.pkgbuild.compare import Difference
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


def generate(confined: Confined, folder: Path, pkgbuild: bytes) -> Generated:
    """Return the `.SRCINFO` of the package in `folder`.

    Raises CaurError where neither the evaluation is sure nor makepkg has an answer.
    """
    found = evaluated_srcinfo(
        confined,
        pkgbuild,
        origin=f"{folder.name}/PKGBUILD",
        files=[path.name for path in folder.iterdir()],
    )
    if found.srcinfo is not None:
        return Generated(found.srcinfo, (), found.pkgver_moves)
    try:
        return Generated(printed_srcinfo(folder), found.doubts, found.pkgver_moves)
    except CaurError as error:
        reason = f"{folder.name}/PKGBUILD, {found.doubts[0]}"
        raise InputError(f"{error.message}\n{reason}", hint=error.hint) from error


def differences(
    confined: Confined, generated: Generated, committed: bytes, *, origin: str
) -> list[Difference]:
    """Return where a committed `.SRCINFO` differs in meaning. Raises InputError."""
    return srcinfo_differences(
        confined,
        generated.srcinfo,
        committed,
        origin=origin,
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
