"""The way to readers and back: what is published here goes to a target, and comes from there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from caur_ci.errors import InputError
from caur_ci.standalone.folder_target import FolderTarget
from scheduler.database.entries import read_entries
from scheduler.database.forms import database_in_place
from scheduler.database.layout import layouts, repositories

if TYPE_CHECKING:
    from scheduler.hosting.protocol import PublishingTarget


def open_target(address: str) -> PublishingTarget:
    """Return the target at `address`. Raises InputError for one that is not known."""
    url = urlsplit(address)
    if url.scheme == "file" or "://" not in address:
        return FolderTarget(Path(unquote(url.path) if url.scheme else address).absolute())
    raise InputError(f"{address} is no address of a publishing target")


def published_files(root: Path) -> set[str]:
    """Return the names of the package files that the repositories below `root` list."""
    found: set[str] = set()
    for name in repositories(root) if root.is_dir() else ():
        for layout in layouts(root, name):
            database = database_in_place(layout, "db")
            if database is not None:
                found.update(entry.filename for entry in read_entries(database).values())
    return found
