"""Looks at new versions of the packages in CI_REBUILD_ABI, and who misses something of the old."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from caur_ci.errors import CaurError
from caur_ci.linkage import IMPORTS, read_index
from caur_ci.rebuild.abi import LibraryAbi, read_abi
from caur_ci.rebuild.state import Damage
from caur_ci.syncdb import read_packages

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from caur_ci.linkage import PackageLinkage
    from caur_ci.rebuild.databases import DatabaseUrl, Shelf
    from caur_ci.rebuild.offers import FilesDatabase
    from caur_ci.rebuild.state import RebuildState
    from caur_ci.syncdb import SyncPackage

_FILE = re.compile(r"[A-Za-z0-9@_+][A-Za-z0-9@._+:~^,-]*\.pkg\.tar(?:\.[a-z0-9]+)?")
_MOST_NAMES = 10


@dataclass(frozen=True, slots=True)
class _Step:
    """A watched package that is there in another version than before."""

    library: str
    repository: str
    before: LibraryAbi
    after: LibraryAbi


class AbiLook(NamedTuple):
    """The state after a look, what people should know of it, and whether all was looked at."""

    state: RebuildState
    notes: tuple[str, ...]
    complete: bool


class AbiWatch:
    """The packages `watched`, in databases and where those are."""

    def __init__(
        self, watched: Collection[str], places: Sequence[tuple[DatabaseUrl, FilesDatabase]]
    ) -> None:
        self._watched = frozenset(watched)
        self._places = places

    def look(
        self,
        state: RebuildState,
        index: Mapping[str, PackageLinkage],
        *,
        shelf: Shelf,
        target: DatabaseUrl,
        now: float,
    ) -> AbiLook:
        """Return what was found.

        What is seen for the first time is only remembered, and what cannot be fetched or read stays
        as it is, to be tried again. Raises WebError and LinkageIndexError for the index of names.
        """
        known = {name: abi for name, abi in state.abis.items() if name in self._watched}
        damages = {
            name: some
            for name, some in state.damages.items()
            if name in index and index[name].version == some[0].version
        }
        steps, failed, missing = self._steps(known, shelf)
        if any(step.before.version for step in steps):
            for package in read_index(IMPORTS, shelf.package(target.imports)):
                published = index.get(package.name)
                if published is not None and published.version == package.version:
                    found = [
                        Damage(
                            base=package.base,
                            version=package.version,
                            library=step.library,
                            before=f"{step.repository}/{step.library} {step.before.version}",
                            after=step.after.version,
                            path=lack.path,
                            names=lack.names[:_MOST_NAMES],
                            since=int(now),
                        )
                        for step in steps
                        for lack in step.before.missed_by(step.after, package)[:1]
                    ]
                    if found:
                        damages[package.name] = (*damages.get(package.name, ()), *found)
        known |= {step.library: step.after for step in steps}
        return AbiLook(state.with_abis(known, damages), (*failed, *missing), not failed)

    def _steps(
        self, known: Mapping[str, LibraryAbi], shelf: Shelf
    ) -> tuple[list[_Step], list[str], list[str]]:
        """Return the steps, what could not be read, and which packages there are none of."""
        steps: list[_Step] = []
        failed: list[str] = []
        left = set(self._watched)
        for url, database in self._places:
            for package in read_packages(database.content):
                if package.name not in left:
                    continue
                left.remove(package.name)
                before = known.get(package.name, LibraryAbi(version=""))
                if before.version == package.version:
                    continue
                try:
                    after = _fetched(package, url, shelf)
                except (CaurError, OSError) as error:
                    failed.append(f"what {package.name} {package.version} exports: {error}")
                    continue
                steps.append(_Step(package.name, url.name, before, after))
        missing = [f"CI_REBUILD_ABI: no database has {name}" for name in sorted(left)]
        return steps, failed, missing


def _fetched(package: SyncPackage, url: DatabaseUrl, shelf: Shelf) -> LibraryAbi:
    if _FILE.fullmatch(package.filename) is None:
        raise CaurError(f"its file has the name {package.filename[:80]!a}")
    return read_abi(shelf.package(url.package(package.filename)), package.version)
