"""The plain lists beside a repository, which mirrors and scripts read."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from scheduler.database.entries import Entry
    from scheduler.database.layout import Layout

LAST_UPDATE = "lastupdate"
PACKAGES = "pkgs.txt"
FILES = "pkgs.files.txt"


def write_lists(layout: Layout, packages: Iterable[Entry], *, updated: float | None) -> None:
    """Write the lists that changed, each at once; `updated` is None if the database did not change.

    `lastupdate` holds a Unix time, `pkgs.txt` a line `NAME-VERSION/` for each package,
    `pkgs.files.txt` the names of the files, as the existing system has them. With several
    architectures, the lists are those of the foremost one.
    """
    if updated is not None:
        _write(layout, LAST_UPDATE, f"{int(updated)}\n")
    if layout.is_foremost:
        for name, lines in expected_lists(layout, packages).items():
            _write(layout, name, "".join(f"{line}\n" for line in lines))


def expected_lists(layout: Layout, packages: Iterable[Entry]) -> dict[str, list[str]]:
    """Return the lines of the lists, by the name of the list."""
    return {
        PACKAGES: sorted(f"{entry.name}-{entry.version}/" for entry in packages),
        FILES: package_files(layout.folder),
    }


def package_files(folder: Path) -> list[str]:
    """Return the names of the package files and their signatures in `folder`, as `ls` would."""
    return sorted(path.name for path in folder.iterdir() if ".pkg." in path.name)


def _write(layout: Layout, name: str, text: str) -> None:
    with suppress(OSError, UnicodeDecodeError):
        if (layout.home / name).read_text(encoding="utf-8") == text:
            return
    fresh = layout.private / f"{name}.new"
    fresh.write_text(text, encoding="utf-8")
    fresh.chmod(0o644)
    fresh.rename(layout.home / name)
