"""The index of what the packages of a repository need, beside its databases.

It follows the databases and may lag behind them: after a kill at the wrong moment, after a
rollback, or where packages were published before there was an index. It is never wrong, since each
package is told by the checksum of its file, and what is missing is found by the next publication
or by `caur-ci repo index`.
"""

from __future__ import annotations

import logging
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from caur_ci.linkage import (
    LinkageIndexError,
    PackageLinkage,
    index_name,
    read_index,
    write_index,
)
from scheduler.database.packages import PackageError, read_package
from scheduler.result.compression import packed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from scheduler.database.entries import Entry
    from scheduler.database.layout import Layout

_log = logging.getLogger(__name__)


class LinkageIndex:
    """The index of one repository and architecture. Who writes it has locked the repository."""

    def __init__(self, layout: Layout) -> None:
        self.path = layout.folder / index_name(layout.name)
        self._fresh = layout.private / "linkage.new"

    def read(self) -> dict[str, PackageLinkage]:
        """Return what is known, by name; nothing of an index that cannot be read."""
        try:
            return {package.name: package for package in read_index(self.path)}
        except FileNotFoundError:
            return {}
        except LinkageIndexError as error:
            _log.warning("%s is made anew: %s", self.path, error.message)
            return {}

    def missing(self, entries: Mapping[str, Entry]) -> list[Entry]:
        """Return those published packages that are not known yet."""
        return list(_missing(self.read(), entries))

    def follow(
        self,
        entries: Mapping[str, Entry],
        fresh: Iterable[PackageLinkage],
        scan: Callable[[list[Entry]], Iterable[PackageLinkage]] | None = None,
    ) -> int:
        """Make it fit what is published, of which `fresh` are newly known.

        What neither tells is shown to `scan`, where there is one. Returns how many packages are
        not known afterwards. Raises CaurError and OSError.
        """
        known = before = self.read()
        known = _with(known, entries, fresh)
        missing = list(_missing(known, entries))
        if missing and scan is not None:
            known = _with(known, entries, scan(missing))
            missing = list(_missing(known, entries))
        kept = {name: known[name] for name in sorted(known.keys() & entries.keys())}
        if kept != before or not self.path.exists():
            self._write(kept.values())
        return len(missing)

    def _write(self, packages: Iterable[PackageLinkage]) -> None:
        with self._fresh.open("wb") as target:
            with packed(target, ".zst") as stream:
                write_index(packages, stream)
            target.flush()
            os.fchmod(target.fileno(), 0o644)
            os.fsync(target.fileno())
        self._fresh.rename(self.path)


def scanner(
    layout: Layout, *, seconds: float, tell: Callable[[Entry], None] | None = None
) -> Callable[[list[Entry]], Iterator[PackageLinkage]]:
    """Return what reads published files for so many seconds, one of them in any case.

    Each is told beforehand.
    """

    def scan(missing: list[Entry]) -> Iterator[PackageLinkage]:
        until = time.monotonic() + seconds
        for entry in missing:
            if tell is not None:
                tell(entry)
            try:
                yield read_linkage(layout.folder / entry.filename, entry)
            except FileNotFoundError:
                continue  # superseded meanwhile, or lost; `caur-ci repo verify` tells
            if time.monotonic() > until:
                return

    return scan


def read_linkage(path: Path, entry: Entry) -> PackageLinkage:
    """Return what a published file needs; of one that cannot be read, why. Raises OSError."""
    try:
        found = read_package(path).linkage
    except PackageError as error:
        found = None
        problem = error.message
    if found is not None:
        return replace(found, sha256=entry.sha256)
    return PackageLinkage(
        name=entry.name,
        base=entry.base,
        version=entry.version,
        sha256=entry.sha256,
        problem=problem,
    )


def _with(
    known: Mapping[str, PackageLinkage],
    entries: Mapping[str, Entry],
    fresh: Iterable[PackageLinkage],
) -> dict[str, PackageLinkage]:
    found = dict(known)
    for package in fresh:
        entry = entries.get(package.name)
        if entry is not None and entry.version == package.version:
            found[package.name] = replace(package, sha256=entry.sha256)
    return found


def _missing(known: Mapping[str, PackageLinkage], entries: Mapping[str, Entry]) -> Iterator[Entry]:
    for entry in entries.values():
        package = known.get(entry.name)
        if package is None or package.sha256 != entry.sha256:
            yield entry
