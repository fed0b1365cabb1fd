"""Which libraries have another version than before."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from caur_ci.triggers.snapshots import DatabaseSnapshot
from caur_ci.versions import Version, vercmp

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from caur_ci.triggers.databases import DatabaseLook

_PKGREL = re.compile(r"(?P<whole>[0-9]+)(?:\.[0-9]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryMove:
    """A library (a pkgbase), and from which version to which it moved.

    `names` are those of its packages and its own, `provides` what these provide.
    """

    library: str
    before: str
    after: str
    names: frozenset[str] = frozenset()
    provides: frozenset[str] = frozenset()

    @property
    def is_rebuild(self) -> bool:
        """Whether it is the same release, built once more: only pkgrel behind the dot differs."""
        return _release(self.before) == _release(self.after)


def moved_libraries(
    looks: Sequence[DatabaseLook],
    known: Sequence[DatabaseSnapshot],
    version_state: Mapping[str, Sequence[str]],
) -> list[LibraryMove]:
    """Return the libraries that have moved since `known` and `version_state`, by name.

    The latter is what the existing system saw last, and what it saw it has dealt with. A library
    that neither knows is seen for the first time, and so is one that a database has which was not
    there before. In a version that one of the databases had before, a library has not moved.
    """
    found: dict[str, LibraryMove] = {}
    configured = {look.url for look in looks}
    for look in looks:
        if not look.is_fresh or look.snapshot is None:
            continue
        old = snapshot_for(look.url, known, configured)
        now, mine = look.snapshot.versions, old.versions if old else {}
        if old is None:
            elsewhere = set(chain.from_iterable(it.versions for it in known))
            now = {library: it for library, it in now.items() if library not in elsewhere}
        for library, before, after in _moved(now, mine, version_state):
            found[library] = LibraryMove(
                library=library,
                before=found[library].before if library in found else before,
                after=after,
                names=look.names.get(library, frozenset({library})),
                provides=look.provides.get(library, frozenset()),
            )
    return [found[library] for library in sorted(found)]


def snapshot_for(
    url: str, known: Iterable[DatabaseSnapshot], configured: Collection[str]
) -> DatabaseSnapshot | None:
    """Return what is known of the database at `url`.

    Where that is nothing, it is one of the same name whose URL is not `configured` any more: the
    database has moved to another server.
    """
    name = DatabaseSnapshot(url=url, versions={}).name
    there = {it.url: it for it in known}
    moved = (it for it in there.values() if it.name == name and it.url not in configured)
    return there.get(url) or next(moved, None)


def caught_up(
    looks: Sequence[DatabaseLook], version_state: Mapping[str, Sequence[str]]
) -> list[DatabaseSnapshot]:
    """Return what is known of the databases now.

    Of one that could not be read, the existing system may have seen newer versions meanwhile.
    """
    there = [look.snapshot for look in looks if look.snapshot is not None]
    counted = Counter(chain.from_iterable(it.versions for it in there))

    def newest(library: str, version: str) -> str:
        seen = version_state.get(library, ())
        # Whose version it is, is only clear where one database has the library.
        if len(seen) == counted[library] == 1 and is_newer(seen[0], version):
            return seen[0]
        return version

    return [
        replace(
            it.snapshot,
            versions={name: newest(name, v) for name, v in it.snapshot.versions.items()},
        )
        if it.problem
        else it.snapshot
        for it in looks
        if it.snapshot is not None
    ]


def _moved(
    versions: Mapping[str, str],
    mine: Mapping[str, str],
    version_state: Mapping[str, Sequence[str]],
) -> Iterator[tuple[str, str, str]]:
    for library, after in versions.items():
        before = mine.get(library)
        if before == after:
            continue
        olds = (*([before] if before else ()), *version_state.get(library, ()))
        if olds and not any(is_same_version(after, old) for old in olds):
            yield library, olds[0], after


def is_same_version(one: str, other: str) -> bool:
    """Tell whether neither is newer for pacman."""
    try:
        return vercmp(one, other) == 0
    except InputError:  # what pacman could not compare either
        return one == other


def is_newer(version: str, than: str) -> bool:
    """Tell whether one is newer for pacman; of what it could not compare, neither is."""
    try:
        return vercmp(version, than) > 0
    except InputError:
        return False


def _release(text: str) -> Version | str:
    try:
        version = Version.parse(text)
    except InputError:
        return text
    match = _PKGREL.fullmatch(version.pkgrel)
    return Version(version.epoch, version.pkgver, match["whole"]) if match else text
