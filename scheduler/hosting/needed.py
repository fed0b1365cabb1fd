"""Packages that are at a publishing target only, brought here for builds that need them.

Builds look for the repository on disk first, and then where readers find it. Where the target does
not know that (a host that is written to by SSH, a branch that becomes pages), they would see
packages in the database whose files they cannot get.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from scheduler.database.dependencies import needed
from scheduler.database.entries import entry_of, read_records
from scheduler.database.forms import database_in_place
from scheduler.database.layout import layouts
from scheduler.database.repository import open_repository
from scheduler.files import hash_file
from scheduler.hosting.protocol import TargetError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scheduler.database.entries import Entry
    from scheduler.database.layout import Layout
    from scheduler.hosting.protocol import PublishingTarget


def fetch_needed(
    target: PublishingTarget, root: Path, repository: str, names: Iterable[str]
) -> list[str]:
    """Bring what answers to `names`, and what that needs in turn; return the files that came.

    What is here, and what the repository does not have, is left out. Raises TargetError where a
    file is not what the database lists, and what the target raises.
    """
    wanted, came = list(names), []
    for layout in layouts(root, repository):
        database = database_in_place(layout, "db")
        records = read_records(database) if database is not None else {}
        entries = [entry_of(records[name]) for name in needed(records, wanted)]
        missing = [it for it in entries if not (layout.folder / it.filename).is_file()]
        if missing:
            _bring(target, layout, missing)
            came += [it.filename for it in missing]
    return came


def _bring(target: PublishingTarget, layout: Layout, entries: Iterable[Entry]) -> None:
    there = target.listing(layout.name)
    listed = {f"{layout.name}/{layout.arch}/{it.filename}": it for it in entries}
    paths = [f"{path}{suffix}" for path in listed for suffix in ("", ".sig")]
    with tempfile.TemporaryDirectory(prefix="caur-ci-needed-") as folder:
        target.fetch([path for path in paths if path in there], Path(folder))
        for path, entry in listed.items():
            file = Path(folder) / path
            if not file.is_file() or hash_file(file).sha256 != entry.sha256:
                raise TargetError(
                    f"{target.address}: {path} is not what the database lists",
                    hint="Build that package again: caur-ci run --package NAME.",
                )
        with open_repository(layout):
            # The signature first: a package never comes without.
            for path in sorted(paths, reverse=True):
                if (Path(folder) / path).is_file():
                    shutil.move(Path(folder) / path, layout.root / path)
