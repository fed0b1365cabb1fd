"""What the source repositories say about the packages of jobs, whatever their workers say."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.config import PackageConfig, load_package_config
from caur_ci.errors import CaurError, InputError, TemporaryError
from caur_ci.expectation import FILES, expected_packages
from scheduler.database.handback import unforeseen
from scheduler.database.ownership import Mandate
from scheduler.job import OnOlder
from scheduler.source.cache import SourceCache
from scheduler.source.fetching import SourceMissingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from scheduler.job import JobSpec
    from scheduler.queue import Claim
    from scheduler.settings import SourceRepository
    from scheduler.source.cache import FolderNames

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Expected:
    """The answers: where there is none, `refused` says why, or `unreachable` why not now."""

    found: list[tuple[Claim, Mandate]] = field(default_factory=list)
    refused: list[tuple[Claim, str]] = field(default_factory=list)
    unreachable: list[tuple[Claim, TemporaryError]] = field(default_factory=list)


class ExpectationReader:
    """The source repositories, with copies in the folder `shared`, as those of workers.

    What is known of a commit is kept: make one of these for a batch.
    """

    def __init__(self, repositories: Mapping[str, SourceRepository], shared: Path) -> None:
        self._repositories = repositories
        self._cache = SourceCache(shared / "sources")
        self._makers: dict[tuple[str, str], dict[str, frozenset[str]]] = {}
        self._recalled: dict[str, frozenset[str]] = {}

    def expected(self, claims: Iterable[Claim]) -> Expected:
        """Look up what may be published under the claims."""
        answers = Expected()
        failed: dict[tuple[str, str], TemporaryError] = {}
        for claim in claims:
            commit = (claim.spec.source_repo, claim.spec.commit)
            if commit in failed:
                answers.unreachable.append((claim, failed[commit]))
                continue
            try:
                answers.found.append((claim, self._mandate(claim.spec)))
            except TemporaryError as error:
                failed[commit] = error
                answers.unreachable.append((claim, error))
            except (InputError, SourceMissingError) as error:
                answers.refused.append((claim, error.message))
            except (CaurError, OSError):
                raise  # trouble of this machine
            except Exception as error:  # noqa: BLE001 - what a folder holds costs that folder only
                _log.exception("what %s may come to cannot be told", claim.identity)
                answers.refused.append((claim, unforeseen(error)))
        return answers

    def folders_now(self) -> dict[str, dict[str, FolderNames]]:
        """Return what the folders of each source repository make, as the sources are now.

        Raises TemporaryError when a repository is out of reach.
        """
        return {name: self._cache.names_now(source) for name, source in self._repositories.items()}

    def recalled_now(self) -> dict[str, frozenset[str]]:
        """Return the folders that each source repository says were recalled.

        Raises InputError where one says nothing that makes sense, TemporaryError when one is out
        of reach.
        """
        return {name: self._recalled_in(source) for name, source in self._repositories.items()}

    def _recalled_in(self, source: SourceRepository) -> frozenset[str]:
        if source.name not in self._recalled:
            self._recalled[source.name] = self._cache.recalled_now(source)
        return self._recalled[source.name]

    def _mandate(self, spec: JobSpec) -> Mandate:
        source = self._source(spec)
        if spec.pkgbase in self._recalled_in(source):
            raise InputError(
                f"{spec.pkgbase} was recalled: `caur-ci why {spec.pkgbase}` tells by whom, "
                "`caur-ci unhold` lets it be published again"
            )
        files = self._cache.read_package(source, spec.commit, spec.pkgbase, FILES)
        expectation = expected_packages(files, folder=spec.pkgbase)
        makers = self._makers_at(source, spec.commit)
        return Mandate(
            folder=spec.pkgbase,
            source=spec.source_repo,
            expectation=expectation,
            makers=makers,
            allowed={
                name: self._allowed(source, spec.commit, name, folders - {spec.pkgbase})
                for name in expectation.names
                if len(folders := makers.get(name, frozenset())) > 1
            },
            may_go_back=spec.on_older is OnOlder.PUBLISH and self._is_current(source, spec),
        )

    def _is_current(self, source: SourceRepository, spec: JobSpec) -> bool:
        """Tell whether the folder of a job is at the tip of its source what it is at its commit.

        A request that goes back is not enough: whoever may write to the queue can make one.
        """
        return self._cache.is_current(source, spec.commit, spec.pkgbase)

    def _source(self, spec: JobSpec) -> SourceRepository:
        source = self._repositories.get(spec.source_repo)
        if source is None:
            raise TemporaryError(
                f"{spec.pkgbase} cannot be checked: this runner does not know the source "
                f"repository {spec.source_repo}",
                hint="Add it to PACKAGE_REPOS.",
            )
        return source

    def _makers_at(self, source: SourceRepository, commit: str) -> dict[str, frozenset[str]]:
        place = (source.name, commit)
        if place not in self._makers:
            self._makers[place] = makers_of(self._cache.names_at(source, commit))
        return self._makers[place]

    def _allowed(
        self, source: SourceRepository, commit: str, name: str, folders: Iterable[str]
    ) -> frozenset[str]:
        """Return those of `folders` whose configuration allows them to have a name."""
        paths = {f"{folder}/{PackageConfig.FILE}": folder for folder in folders}
        found = set()
        for path, content in self._cache.read_files(source, commit, list(paths)).items():
            with suppress(InputError):
                if name in load_package_config(content, origin=path).config.allow_names:
                    found.add(paths[path])
        return frozenset(found)


def makers_of(folders: Mapping[str, FolderNames]) -> dict[str, frozenset[str]]:
    """Return for each package name the folders that make it."""
    found: dict[str, set[str]] = {}
    for folder, names in folders.items():
        for name in names.made:
            found.setdefault(name, set()).add(folder)
    return {name: frozenset(makers) for name, makers in found.items()}
