"""What the source repositories say about the packages of jobs, whatever their workers say."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, InputError, TemporaryError
from caur_ci.expectation import FILES, Expectation, expected_packages
from scheduler.database.handback import unforeseen
from scheduler.source.cache import SourceCache, SourceMissingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from scheduler.job import JobSpec
    from scheduler.queue import Claim
    from scheduler.settings import SourceRepository

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Expected:
    """The answers: where there is none, `refused` says why, or `unreachable` why not now."""

    found: list[tuple[Claim, Expectation]] = field(default_factory=list)
    refused: list[tuple[Claim, str]] = field(default_factory=list)
    unreachable: list[tuple[Claim, TemporaryError]] = field(default_factory=list)


class Sources:
    """The source repositories, with copies in the folder `shared`, as those of workers."""

    def __init__(self, repositories: Mapping[str, SourceRepository], shared: Path) -> None:
        self._repositories = repositories
        self._cache = SourceCache(shared / "sources")

    def expected(self, claims: Iterable[Claim]) -> Expected:
        """Look up what may be published under the claims."""
        answers = Expected()
        failed: dict[tuple[str, str], TemporaryError] = {}
        for claim in claims:
            commit = (claim.spec.source_repo, claim.spec.commit)
            try:
                if commit in failed:
                    raise failed[commit]
                answers.found.append((claim, self._expectation(claim.spec)))
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

    def folders_now(self) -> dict[str, set[str]]:
        """Return for each pkgname and pkgbase the folders that have it, as the sources are now.

        Raises TemporaryError when a repository is out of reach.
        """
        found: dict[str, set[str]] = {}
        for source in self._repositories.values():
            for folder, names in self._cache.names_now(source).items():
                for name in names:
                    found.setdefault(name, set()).add(folder)
        return found

    def _expectation(self, spec: JobSpec) -> Expectation:
        source = self._repositories.get(spec.source_repo)
        if source is None:
            raise TemporaryError(
                f"{spec.pkgbase} cannot be checked: this runner does not know the source "
                f"repository {spec.source_repo}",
                hint="Add it to PACKAGE_REPOS.",
            )
        paths = {f"{spec.pkgbase}/{name}": name for name in FILES}
        contents = self._cache.read_files(source, spec.commit, list(paths))
        files = {paths[path]: content for path, content in contents.items()}
        return expected_packages(files, folder=spec.pkgbase)
