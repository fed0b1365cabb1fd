"""Which libraries have another version than before."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from caur_ci.versions import Version, vercmp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from caur_ci.triggers.databases import DatabaseLook
    from caur_ci.triggers.snapshots import DatabaseSnapshot

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
    looks: Iterable[DatabaseLook],
    known: Sequence[DatabaseSnapshot],
    version_state: Mapping[str, Sequence[str]],
) -> list[LibraryMove]:
    """Return the libraries that have moved since `known` and `version_state`, by name.

    The latter is what the existing system saw last, and what it saw it has dealt with. A library
    that neither knows is seen for the first time, and so is all of a database that was not there
    before. In a version that one of the databases had before, a library has not moved.
    """
    found: dict[str, LibraryMove] = {}
    for look in looks:
        if not look.is_fresh or look.snapshot is None:
            continue
        old = snapshot_for(look.snapshot, known)
        if old is None and known:
            continue
        mine = old.versions if old else {}
        for library, before, after in _moved(look.snapshot.versions, mine, version_state):
            found[library] = LibraryMove(
                library=library,
                before=found[library].before if library in found else before,
                after=after,
                names=look.names.get(library, frozenset({library})),
                provides=look.provides.get(library, frozenset()),
            )
    return [found[library] for library in sorted(found)]


def snapshot_for(
    wanted: DatabaseSnapshot, known: Iterable[DatabaseSnapshot]
) -> DatabaseSnapshot | None:
    """Return what is known of a database: by its URL, or by its name where it has moved."""
    alike = [it for it in known if it.url == wanted.url or it.name == wanted.name]
    return next((it for it in alike if it.url == wanted.url), alike[0] if alike else None)


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


def _release(text: str) -> Version | str:
    try:
        version = Version.parse(text)
    except InputError:
        return text
    match = _PKGREL.fullmatch(version.pkgrel)
    return Version(version.epoch, version.pkgver, match["whole"]) if match else text
