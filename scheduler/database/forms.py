"""Databases in the forms that repo-add writes: ours is `.tar.zst`, others are taken over."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError
from caur_ci.process import run
from scheduler.database.layout import KINDS
from scheduler.files import hash_file

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.database.layout import Layout

_FORM = re.compile(r"\.tar(?:\.[A-Za-z0-9]+)?")
_TIMEOUT = 900.0


class DatabaseFormError(CaurError):
    """It cannot be told which database of a repository is the one that counts."""


def database_in_place(layout: Layout, kind: str) -> Path | None:
    """Return the database `kind` (db or files) that pacman reads, whatever its form.

    Raises DatabaseFormError where that cannot be told.
    """
    ours = layout.folder / f"{layout.name}.{kind}.tar.zst"
    asked_for = layout.folder / f"{layout.name}.{kind}"
    if asked_for.exists():
        # Where there are no links, repo-add leaves a copy under that name.
        target = asked_for.resolve()
        if not ours.exists():
            return target
        if not ours.samefile(target) and hash_file(ours) != hash_file(target):
            raise _several(layout, [target, ours])
        return ours
    found = _databases(layout, kind)
    if len(found) > 1 and ours not in found:
        raise _several(layout, found)
    return ours if ours in found else next(iter(found), None)


def take_databases(layout: Layout, folder: Path) -> None:
    """Write the databases that are in place into `folder`, in our form and under our names.

    Raises DatabaseFormError, ProcessError and OSError.
    """
    main = database_in_place(layout, "db")
    for kind in KINDS:
        # Without one of its own, the files database lists the same packages without their files.
        source = database_in_place(layout, kind) or main
        if source is not None:
            _take_over(source, folder / f"{layout.name}.{kind}.tar.zst")


def _take_over(source: Path, target: Path) -> None:
    if source.name.endswith(".tar.zst"):
        shutil.copyfile(source, target)
    else:
        run(["bsdtar", "--zstd", "-cf", target, f"@{source}"], timeout=_TIMEOUT)


def _databases(layout: Layout, kind: str) -> list[Path]:
    start = f"{layout.name}.{kind}"
    return sorted(
        path
        for path in layout.folder.glob(f"{start}.tar*")
        if _FORM.fullmatch(path.name.removeprefix(start)) and path.is_file()
    )


def _several(layout: Layout, paths: list[Path]) -> DatabaseFormError:
    names = " and ".join(path.name for path in paths)
    return DatabaseFormError(
        f"{layout.folder} has {names}, and it cannot be told which one counts; nothing is changed",
        hint="Keep the one that is right, and remove the others.",
    )
