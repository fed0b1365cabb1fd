"""The indexes of what the packages of a repository need and take, beside its databases.

They follow the databases and may lag behind them: after a kill at the wrong moment, after a
rollback, or where packages were published before there was an index. They are never wrong, since
each package is told by the checksum of its file, and what is missing is found by the next
publication or by `caur-ci repo index`.
"""

from __future__ import annotations

import logging
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from caur_ci.linkage import (
    IMPORTS,
    LINKAGE,
    LinkageIndexError,
    PackageImports,
    PackageLinkage,
    read_index,
)
from caur_ci.linkage.imports import head_of
from caur_ci.linkage.index import read_lines, write_lines
from scheduler.database.packages import PackageError, read_package
from scheduler.result.compression import packed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from caur_ci.linkage.index import IndexKind
    from scheduler.database.entries import Entry
    from scheduler.database.layout import Layout
    from scheduler.database.packages import PackageFile

_log = logging.getLogger(__name__)

_FEW = 50


class Description(NamedTuple):
    """What one package file needs, and the names that it takes."""

    linkage: PackageLinkage
    imports: PackageImports | None = None

    def of(self, entry: Entry) -> Description:
        """Return the same with the checksum of a published file."""
        imports = self.imports and replace(self.imports, sha256=entry.sha256)
        return Description(replace(self.linkage, sha256=entry.sha256), imports)


def index_names(repository: str) -> tuple[str, str]:
    """Return the names of both indexes of a repository."""
    return LINKAGE.file(repository), IMPORTS.file(repository)


class LinkageIndex:
    """The indexes of one repository and architecture. Who writes them has locked the repository."""

    def __init__(self, layout: Layout) -> None:
        linkage, imports = index_names(layout.name)
        self.path = layout.folder / linkage
        self.imports_path = layout.folder / imports
        self._fresh = layout.private / "linkage.new"

    def read(self) -> dict[str, PackageLinkage]:
        """Return what is known, by name; nothing of an index that cannot be read."""
        if not self.imports_path.exists():
            return {}
        try:
            return {package.name: package for package in read_index(LINKAGE, self.path)}
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
        fresh: Iterable[Description],
        scan: Callable[[list[Entry]], Iterable[Description]] | None = None,
    ) -> int:
        """Make them fit what is published, of which `fresh` are newly known.

        What neither tells is shown to `scan`, where there is one. Returns how many packages are
        not known afterwards. Raises CaurError and OSError.
        """
        before = self.read()
        found = _published(fresh, entries)
        known = {**before, **{name: it.linkage for name, it in found.items()}}
        missing = list(_missing(known, entries))
        if missing and scan is not None:
            found |= _published(scan(missing), entries)
            known |= {name: it.linkage for name, it in found.items()}
            missing = list(_missing(known, entries))
        kept = {name: known[name] for name in sorted(known.keys() & entries.keys())}
        if kept != before or not self.path.exists():
            # First the names: whoever finds a package in the other one finds it here as well.
            self._write(IMPORTS, self.imports_path, self._imports(kept, found))
            self._write(LINKAGE, self.path, (package.to_line() for package in kept.values()))
        return len(missing)

    def _imports(
        self, kept: Mapping[str, PackageLinkage], found: Mapping[str, Description]
    ) -> Iterator[bytes]:
        """Yield the lines of the packages that are `kept`: the old ones, and those just found."""
        try:
            for line in read_lines(IMPORTS, self.imports_path):
                name, sha256 = head_of(line) or ("", "")
                if name in kept and name not in found and kept[name].sha256 == sha256:
                    yield line
        except FileNotFoundError:
            pass
        except LinkageIndexError as error:
            _log.warning("%s is made anew: %s", self.imports_path, error.message)
        for name in sorted(found.keys() & kept.keys()):
            imports = found[name].imports
            if imports is not None and imports.files:
                yield imports.to_line()

    def _write(
        self,
        kind: IndexKind[PackageLinkage] | IndexKind[PackageImports],
        path: Path,
        lines: Iterable[bytes],
    ) -> None:
        with self._fresh.open("wb") as target:
            with packed(target, ".zst") as stream:
                write_lines(kind, lines, stream)
            target.flush()
            os.fchmod(target.fileno(), 0o644)
            os.fsync(target.fileno())
        self._fresh.rename(path)


def scanner(layout: Layout, *, seconds: float) -> Callable[[list[Entry]], Iterator[Description]]:
    """Return what reads published files for so many seconds, one of them in any case.

    More than a rollback or a kill leaves behind is for `caur-ci repo index`.
    """

    def scan(missing: list[Entry]) -> Iterator[Description]:
        if len(missing) > _FEW:
            _log.info("of %d packages it is not known what they need: repo index", len(missing))
            return
        until = time.monotonic() + seconds
        for entry in missing:
            try:
                yield describe(layout.folder / entry.filename, entry)
            except FileNotFoundError:
                continue  # superseded meanwhile, or lost; `caur-ci repo verify` tells
            if time.monotonic() > until:
                return

    return scan


def describe(path: Path, entry: Entry) -> Description:
    """Return what a published file needs; of one that cannot be read, why. Raises OSError."""
    try:
        found = description_of(read_package(path))
    except PackageError as error:
        problem = error.message
    else:
        if found is not None:
            return found.of(entry)
        problem = "nothing is known of it"
    return Description(
        PackageLinkage(
            name=entry.name,
            base=entry.base,
            version=entry.version,
            sha256=entry.sha256,
            problem=problem,
        )
    )


def description_of(package: PackageFile) -> Description | None:
    """Return what was found in a package file while it was read."""
    return Description(package.linkage, package.imports) if package.linkage else None


def _published(
    fresh: Iterable[Description], entries: Mapping[str, Entry]
) -> dict[str, Description]:
    found: dict[str, Description] = {}
    for each in fresh:
        entry = entries.get(each.linkage.name)
        if entry is not None and entry.version == each.linkage.version:
            found[entry.name] = each.of(entry)
    return found


def _missing(known: Mapping[str, PackageLinkage], entries: Mapping[str, Entry]) -> Iterator[Entry]:
    for entry in entries.values():
        package = known.get(entry.name)
        if package is None or package.sha256 != entry.sha256:
            yield entry
