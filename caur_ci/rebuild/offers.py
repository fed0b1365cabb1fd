"""What the packages of databases offer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from caur_ci.errors import CaurError
from caur_ci.linkage import Found, offered_by
from caur_ci.linkage.capabilities import offered_as_package
from caur_ci.syncdb import read_file_lists

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from caur_ci.linkage import PackageLinkage


class NoFileListsError(CaurError):
    """A database lists no files, so nothing is known of what it offers."""


class Offer(NamedTuple):
    """How well something is offered, and by which package: `extra/icu 75.1-1`."""

    found: Found
    by: str


@dataclass(slots=True)
class Offers:
    """The best offer for each capability that is wanted, and the packages that were seen."""

    wanted: Collection[str]
    best: dict[str, Offer] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    def add(self, capability: str, found: Found, by: str) -> None:
        """Take in an offer, if it is wanted and better than what there is."""
        if capability in self.wanted:
            known = self.best.get(capability)
            if known is None or known.found < found:
                self.best[capability] = Offer(found, by)


class FilesDatabase(NamedTuple):
    """A `.files` database, and the name of its repository."""

    repository: str
    content: Path | bytes


def collect_offers(
    wanted: Collection[str],
    databases: Sequence[FilesDatabase],
    *,
    target: FilesDatabase | None = None,
    index: Iterable[PackageLinkage] = (),
) -> Offers:
    """Return what is offered of `wanted` by databases and by the target repository.

    Of packages that several of `databases` have, only that of the first one counts: as for pacman,
    where a testing repository comes before the one that it tests for. The target repository offers
    what it has in any case, and what `index` knows beyond file names; `versions` of the result are
    its packages.

    Raises NoFileListsError, SyncDatabaseError, ProcessError and OSError.
    """
    offers = Offers(wanted)
    seen: set[str] = set()
    for database in databases:
        names = _add(offers, database, seen)
        if not names:
            raise NoFileListsError(f"the database of {database.repository} lists no files")
        seen.update(names)
    if target is not None:
        offers.versions = _add(offers, target, ())
        for package in index:
            if offers.versions.get(package.name) == package.version:
                by = f"{target.repository}/{package.name} {package.version}"
                for capability in package.offers:
                    offers.add(capability, Found.USUAL, by)
    return offers


def _add(offers: Offers, database: FilesDatabase, seen: Collection[str]) -> dict[str, str]:
    """Take in a database, and return the versions of its packages."""
    versions: dict[str, str] = {}
    for files in read_file_lists(database.content):
        versions[files.name] = files.version
        if files.name in seen:
            continue
        by = f"{database.repository}/{files.name} {files.version}"
        for capability, found in offered_by(files.lines):
            offers.add(capability, found, by)
        by_version = offered_as_package(files.name, files.version)
        if by_version is not None:
            offers.add(by_version, Found.USUAL, by)
    return versions


def wanted_by(index: Mapping[str, PackageLinkage]) -> set[str]:
    """Return the capabilities that the packages of an index need."""
    return {capability for package in index.values() for capability in package.needs}
