"""One look at databases and index: what is lost, and who is broken by that."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from caur_ci.errors import InputError
from caur_ci.linkage import LINKAGE, read_index
from caur_ci.rebuild.databases import GONE, DatabaseUrl, Shelf
from caur_ci.rebuild.detection import BrokenPackage, find_broken, lost_ahead
from caur_ci.rebuild.offers import collect_offers, wanted_by
from caur_ci.rebuild.state import RebuildState
from caur_ci.rebuild.watching import AbiWatch
from caur_ci.web import WebError, shown_url

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from caur_ci.config import RepositoryConfig
    from caur_ci.linkage import PackageLinkage
    from caur_ci.rebuild.offers import FilesDatabase, Offers
    from caur_ci.rebuild.rules import RebuildRules
    from caur_ci.web import Web

_MISSING = "CI_REPO_DB in .ci/config does not say where the published database is"


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildLook:
    """What was found. `state` is to be remembered, `broken` are all packages that are broken.

    `notes` are what people should know about the look itself.
    """

    state: RebuildState = field(default_factory=RebuildState)
    broken: tuple[BrokenPackage, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def to_rebuild(self) -> dict[str, str]:
        """The pkgbases to rebuild, each with the reason."""
        return {it.pkgbase: it.reason for it in self.broken if not it.not_rebuilt}

    def asked(self) -> RebuildState:
        """Return what is to be remembered once these rebuilds are asked for."""
        return self.state.asking(
            {it.pkgbase: it.capabilities for it in self.broken if not it.not_rebuilt}
        )


class RebuildLooker:
    """Looks for broken packages of one repository."""

    def __init__(self, config: RepositoryConfig, rules: RebuildRules, web: Web) -> None:
        self._rules = rules
        self._target = DatabaseUrl(config.repo_db) if config.repo_db else None
        self._libraries = tuple(map(DatabaseUrl, config.lib_db))
        self._watched = config.rebuild_abi
        self._web = web

    @property
    def is_possible(self) -> bool:
        """Whether it is known where the published database is."""
        return self._target is not None

    def look(self, state: RebuildState, *, now: float) -> RebuildLook:
        """Return what is broken now; `now` is a Unix time.

        Where no database has changed since `state`, and nothing is lost, they are not even fetched.
        Raises InputError where it is not known where to look or more is gone than can be; WebError
        for what cannot be fetched; LinkageIndexError, SyncDatabaseError, NoFileListsError and
        DatabaseUrlError for what cannot be used.
        """
        target = self._needed_target()
        shelf = Shelf(self._web)
        urls = [target.files, target.index, *(url.files for url in self._libraries)]
        if self._is_as_before(urls, state) and shelf.unchanged(urls, state.tags):
            return self._as_before(state, target, shelf)
        databases = [shelf.database(url) for url in self._libraries]
        published = _Published.fetch(shelf, target)
        offers = published.offers(databases)
        index = published.index(offers)
        after = state.advanced(
            wanted_by(index),
            offers.best,
            repositories={target.name, *(url.name for url in self._libraries)},
            now=now,
            complete=index.keys() == offers.versions.keys(),
        )
        watched = self._watch(databases).look(after, index, shelf=shelf, target=target, now=now)
        # What could not be fetched is tried again, also if no database changes until then.
        tags = {url: tag for url, tag in shelf.tags.items() if tag and watched.complete}
        after = replace(watched.state, tags=tags)
        broken = find_broken(index.values(), after, why_not=self._rules.why_not, offers=offers.best)
        notes = (*watched.notes, *_unknown(index, offers))
        return RebuildLook(state=after, broken=tuple(broken), notes=notes)

    def look_ahead(self, stages: Sequence[str]) -> RebuildLook:
        """Return what will be broken once the repositories of `stages` have moved on.

        The first one is the furthest ahead: `staging` before `testing`. Raises as `look`.
        """
        target = self._needed_target()
        shelf = Shelf(self._web)
        databases = [shelf.database(url) for url in self._libraries]
        further = [
            found
            for stage in stages
            for url in self._libraries
            if (found := shelf.database_if_any(url.ahead(stage))) is not None
        ]
        if not further:
            raise InputError(
                f"none of the databases in CI_LIB_DB has a repository {' or '.join(stages)}",
                hint="They are looked for beside them: core-testing for core.",
            )
        published = _Published.fetch(shelf, target)
        now, ahead = published.offers(databases), published.offers([*further, *databases])
        index = published.index(now)
        state = RebuildState(losses=lost_ahead(now.best, ahead.best))
        broken = find_broken(index.values(), state, why_not=self._rules.why_not, offers=ahead.best)
        return RebuildLook(broken=tuple(broken), notes=_unknown(index, now))

    def _is_as_before(self, urls: Sequence[str], state: RebuildState) -> bool:
        """Tell whether the configuration is what it was when this was remembered."""
        return set(map(shown_url, urls)) == state.tags.keys() and state.abis.keys() >= set(
            self._watched
        )

    def _watch(self, databases: Sequence[FilesDatabase]) -> AbiWatch:
        places = tuple(zip(self._libraries, databases, strict=True)) if self._watched else ()
        return AbiWatch(self._watched, places)

    def _as_before(self, state: RebuildState, target: DatabaseUrl, shelf: Shelf) -> RebuildLook:
        if not state.lost_names:
            return RebuildLook(state=state)
        index = _index(shelf, target)
        broken = find_broken(index.values(), state, why_not=self._rules.why_not)
        return RebuildLook(state=state, broken=tuple(broken))

    def _needed_target(self) -> DatabaseUrl:
        if self._target is None:
            raise InputError(_MISSING, hint="Set it to a URL such as https://HOST/R/x86_64/R.db.")
        return self._target


@dataclass(frozen=True, slots=True)
class _Published:
    """What is published: what the packages need, and their lists of files."""

    packages: Mapping[str, PackageLinkage]
    files: FilesDatabase

    @classmethod
    def fetch(cls, shelf: Shelf, target: DatabaseUrl) -> Self:
        return cls(_index(shelf, target), shelf.database(target))

    def offers(self, databases: Sequence[FilesDatabase]) -> Offers:
        """Return what there is of what the packages need."""
        return collect_offers(
            wanted_by(self.packages), databases, target=self.files, index=self.packages.values()
        )

    def index(self, offers: Offers) -> dict[str, PackageLinkage]:
        """Return those packages of the index that are published in that version."""
        return {
            name: package
            for name, package in self.packages.items()
            if offers.versions.get(name) == package.version
        }


def _index(shelf: Shelf, target: DatabaseUrl) -> dict[str, PackageLinkage]:
    try:
        content = shelf.fetch(target.index)
    except WebError as error:
        if error.status in GONE:
            raise InputError(
                f"beside the database {target.name} there is no index of what its packages need",
                hint="The database runner writes it with the next publication, or `caur-ci repo "
                "index` on its machine.",
            ) from error
        raise
    return {package.name: package for package in read_index(LINKAGE, content)}


def _unknown(index: Mapping[str, PackageLinkage], offers: Offers) -> tuple[str, ...]:
    missing = len(offers.versions.keys() - index.keys())
    partly = sum(1 for package in index.values() if package.problem)
    found = []
    if missing:
        found.append(
            f"of {missing} published packages nobody knows what they need; `caur-ci repo index` on "
            "the server of the repository looks into them"
        )
    if partly:
        found.append(f"{partly} published packages could not be read, or not all of them")
    return tuple(found)
