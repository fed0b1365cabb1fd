"""What a package says about itself, read from a file that nobody has checked.

It is read twice: strictly, so that only what makepkg would write gets any further, and by bsdtar,
which reads as pacman does. What both say is the same, or the package is refused.
"""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

from caur_ci.environment import child_environment
from caur_ci.process import missing_tool
from scheduler.files import open_regular_file
from scheduler.result.compression import unpacked
from scheduler.result.errors import BadPackageError
from scheduler.result.metadata import MAX_PKGINFO, PKGINFO
from scheduler.result.tar import TarReader

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scheduler.result.allowance import Allowance
    from scheduler.result.tar import Member

    # Is shown what an archive holds, one after the other, and may read of its content.
    Visitor = Callable[[TarReader, Member], None]

_BSDTAR_PATIENCE = 120.0
_LIMITS = ("prlimit", f"--as={2 * 1024**3}", f"--cpu={int(_BSDTAR_PATIENCE)}", "--")


def time_limit(seconds: float) -> Callable[[], None]:
    """Return a check for an allowance that ends the reading after `seconds`.

    Raises BadPackageError.
    """
    until = time.monotonic() + seconds

    def check() -> None:
        if time.monotonic() > until:
            raise BadPackageError(f"it cannot be read within {seconds:g} s")

    return check


def read_pkginfo(
    path: Path, suffix: str, allowance: Allowance, visit: Visitor | None = None
) -> bytes:
    """Return the `.PKGINFO` of a package, compressed as `suffix` says.

    All else that is in it is shown to `visit`. Raises BadPackageError, NotAFileError and OSError.
    """
    with open_regular_file(path) as stream:
        allowance.take_packed(os.fstat(stream.fileno()).st_size)
        with unpacked(stream, suffix) as content:
            pkginfo = _strictly(TarReader(content, allowance), visit)
    if _as_pacman_does(path) != pkginfo:
        raise BadPackageError("its .PKGINFO is another one for bsdtar")
    return pkginfo


def _strictly(reader: TarReader, visit: Visitor | None) -> bytes:
    found: bytes | None = None
    for member in reader:
        if member.plain_name != PKGINFO:
            if visit is not None:
                visit(reader, member)
            continue
        if not member.is_file or member.size > MAX_PKGINFO:
            raise BadPackageError("its .PKGINFO is no file, or too large")
        found = reader.read(member.size)
    if found is None:
        raise BadPackageError("it does not hold exactly one .PKGINFO")
    return found


def _as_pacman_does(path: Path) -> bytes:
    """Return the `.PKGINFO` that bsdtar finds, which is what repo-add reads; cut if it is long."""
    command = [*_LIMITS, "bsdtar", "-xOqf", str(path), PKGINFO.decode()]
    try:
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=child_environment(),
        ) as process:
            assert process.stdout is not None  # noqa: S101 - for mypy
            try:
                content = process.stdout.read(MAX_PKGINFO + 1)
            finally:
                process.kill()
    except FileNotFoundError as error:
        raise missing_tool(command[0]) from error
    return content
