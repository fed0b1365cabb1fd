"""Files that two packages ship although neither says that they are not to be installed together.

pacman refuses to install both. Only what a delivery newly brings about counts: what was published
that way before does not hold up updates.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import chain, combinations
from typing import TYPE_CHECKING

from caur_ci.config import PackageConfig
from scheduler.database.fileowners import owner_of, read_owners

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from scheduler.database.distribution_files import DistributionFiles
    from scheduler.database.fileowners import Owner
    from scheduler.database.packages import PackageFile

_SETTING = "CI_ALLOW_FILE_CONFLICTS"
_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arrival:
    """What a delivery brings to a repository and what it takes away, by names.

    It may ship files of the packages in `allowed`.
    """

    delivery: int
    folder: str
    packages: Sequence[PackageFile]
    removed: Collection[str] = ()
    allowed: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class _Side:
    """A package as it would be there, by which delivery; without one it is there already.

    `before` is what was published of it until then.
    """

    owner: Owner
    arrival: Arrival | None = None
    before: Owner | None = None

    def had(self, files: Iterable[bytes]) -> bool:
        """Tell whether some of these files were there before."""
        return self.before is not None and not self.before.files.isdisjoint(files)

    def shares_unsaid(self, other: _Side) -> frozenset[bytes]:
        """Return the files that both had before, without saying that they conflict."""
        if self.before is None or other.before is None or self.before.excludes(other.before):
            return frozenset()
        return self.before.files & other.before.files

    def may_share_with(self, other: _Side) -> bool:
        """Tell whether the folder is configured to ship files of the other package."""
        return self.arrival is not None and other.owner.name in self.arrival.allowed


@dataclass(frozen=True, slots=True)
class _Conflict:
    """Files that a delivery newly ships in a package, and that are another one's as well."""

    blamed: _Side
    other: _Side
    files: frozenset[bytes]

    @property
    def is_certain(self) -> bool:
        """Whether it is there whatever becomes of other deliveries."""
        return self.other.arrival in {None, self.blamed.arrival}

    def __str__(self) -> str:
        owner, packages = self.other.owner, self.blamed.owner.name
        names = [path.decode("utf-8", "backslashreplace") for path in sorted(self.files)]
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        where = f" of {owner.origin}" if owner.origin else ""
        return f"{packages} ships {', '.join(names[:_SHOWN])}{more} of {owner.name}{where}"


class ConflictCheck:
    """The deliveries for one repository, the later ones last, and who else owns their files."""

    def __init__(
        self, arrivals: Sequence[Arrival], database: Path | None, distribution: DistributionFiles
    ) -> None:
        """Look up the owners, in the `.files` database in place and in those of the distribution.

        Raises SyncDatabaseError, ProcessError, OSError and TemporaryError.
        """
        self._arrivals = arrivals
        fresh = {
            each.delivery: [owner_of(package) for package in each.packages] for each in arrivals
        }
        owners = list(chain.from_iterable(fresh.values()))
        shipped = {path for owner in owners for path in owner.files}
        before = read_owners(database, shipped) if database and shipped else {}
        foreign = distribution.owners(
            {path for owner in owners for path in _news(owner, before.get(owner.name))}
        )
        contested = _contested([*owners, *before.values(), *foreign])
        self._fresh = {key: _only(contested, each) for key, each in fresh.items()}
        self._before = {each.name: each for each in _only(contested, before.values())}
        self._foreign = _only(contested, foreign)

    def problems(self, held: Collection[int]) -> dict[int, str]:
        """Return why deliveries are to be held that are not in `held` yet.

        Ask again with those in it as well, until there are none: what a held one would have
        replaced stays.
        """
        found: dict[int, list[_Conflict]] = defaultdict(list)
        last: dict[int, list[_Conflict]] = {}
        for conflict in _conflicts(self._sides(held)):
            assert conflict.blamed.arrival is not None  # noqa: S101 - for mypy
            delivery = conflict.blamed.arrival.delivery
            if conflict.is_certain:
                found[delivery].append(conflict)
            else:
                # One that is held for another reason may be what all others conflict with.
                last = {delivery: [conflict]}
        return {delivery: _told(conflicts) for delivery, conflicts in (found or last).items()}

    def _sides(self, held: Collection[int]) -> list[_Side]:
        coming = [each for each in self._arrivals if each.delivery not in held]
        gone = {name for each in coming for name in each.removed}
        gone |= {package.pkgname for each in coming for package in each.packages}
        staying = [owner for owner in self._before.values() if owner.name not in gone]
        return [
            *(_Side(owner, before=owner) for owner in (*staying, *self._foreign)),
            *(
                _Side(owner, arrival, self._before.get(owner.name))
                for arrival in coming
                for owner in self._fresh[arrival.delivery]
            ),
        ]


def held_for_conflicts(checks: Sequence[ConflictCheck]) -> dict[int, str]:
    """Return which deliveries must not be published, and why, so that none of `checks` objects."""
    held: dict[int, str] = {}
    while found := next((it for check in checks if (it := check.problems(held))), None):
        held |= found
    return held


def _news(owner: Owner, before: Owner | None) -> frozenset[bytes]:
    """Return the files for which a package may be to blame."""
    if before is None or before.says != owner.says:
        return owner.files
    return owner.files - before.files


def _contested(owners: Iterable[Owner]) -> frozenset[bytes]:
    """Return the files that packages of several names have."""
    first: dict[bytes, str] = {}
    return frozenset(
        path
        for owner in owners
        for path in owner.files
        if first.setdefault(path, owner.name) != owner.name
    )


def _only(files: frozenset[bytes], owners: Iterable[Owner]) -> list[Owner]:
    return [replace(owner, files=owner.files & files) for owner in owners]


def _conflicts(sides: Sequence[_Side]) -> Iterator[_Conflict]:
    by_path: dict[bytes, list[int]] = defaultdict(list)
    for place, side in enumerate(sides):
        for path in side.owner.files:
            by_path[path].append(place)
    pairs: dict[tuple[int, int], set[bytes]] = defaultdict(set)
    for path, places in by_path.items():
        for pair in combinations(places, 2):
            if sides[pair[1]].arrival is not None:  # the later ones are those that come
                pairs[pair].add(path)
    for one, other in sorted(pairs):
        conflict = _conflict(sides[one], sides[other], pairs[one, other])
        if conflict is not None:
            yield conflict


def _conflict(one: _Side, other: _Side, shared: Iterable[bytes]) -> _Conflict | None:
    """Return what is wrong with two packages, of which `other` is the later one to come."""
    if one.owner.name == other.owner.name or one.owner.excludes(other.owner):
        return None
    if one.may_share_with(other) or other.may_share_with(one):
        return None
    files = frozenset(shared) - one.shares_unsaid(other)
    if not files:
        return None
    if one.arrival is not None and other.had(files) and not one.had(files):
        one, other = other, one
    return _Conflict(other, one, files)


def _told(conflicts: Sequence[_Conflict]) -> str:
    arrival = conflicts[0].blamed.arrival
    folder = arrival.folder if arrival else ""
    owners = sorted({conflict.other.owner.name for conflict in conflicts})
    shown = "; ".join(map(str, conflicts[:_SHOWN]))
    more = f"; and {len(conflicts) - _SHOWN} more pairs" if len(conflicts) > _SHOWN else ""
    return (
        f"{shown}{more}, and neither conflicts with the other; declare that in the PKGBUILD, "
        f"or set {_SETTING}={':'.join(owners)} in {folder}/{PackageConfig.FILE}"
    )
