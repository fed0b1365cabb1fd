"""Which published packages are broken, by what the runs of on-schedule remember."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.config import PackageConfig, load_package_config
from caur_ci.errors import ConfigError
from caur_ci.pipeline.shared.committed_repository import CommittedRepository
from caur_ci.pipeline.shared.context import RunContext
from caur_ci.rebuild import RebuildLook, RebuildLooker, RebuildRules, RebuildState
from caur_ci.triggers.moves import LibraryMove
from caur_ci.web import Web

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from caur_ci.pipeline.shared.options import RunOptions
    from caur_ci.rebuild import BrokenPackage

# Where what is lost went.
GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenPackages:
    """What was found, and the repository of PKGBUILDs at HEAD.

    `remembered` tells whether a run of on-schedule has looked before: without that, nothing can be
    known to be lost.
    """

    look: RebuildLook
    repository: CommittedRepository
    rules: RebuildRules
    remembered: bool

    def classes(self, folders: Iterable[str]) -> dict[str, str]:
        """Return the build classes of package folders, where they name one."""
        read, default = self.repository.folders.read, self.repository.config.default_class
        found = {
            name: _class_in(name, data) or default
            for name, data in read(PackageConfig.FILE, folders).items()
        }
        return {name: build_class for name, build_class in found.items() if build_class}


def find_broken_packages(options: RunOptions, *, ahead: Sequence[str] = ()) -> BrokenPackages:
    """Look at databases and index, and change nothing.

    With `ahead`, what will be broken when these repositories of the distribution have moved on.
    Raises GitError, ConfigError and TemporaryError, and what `RebuildLooker` raises.
    """
    context = RunContext.open(options)
    repository = CommittedRepository.read(context.git, context.head)
    memory = context.shared.memory(context.shared.snapshot())
    state = RebuildState.from_bytes(memory.libraries.linkage)
    rules = rules_of(repository)
    looker = RebuildLooker(repository.config, rules, Web())
    look = looker.look_ahead(ahead) if ahead else looker.look(state, now=time.time())
    return BrokenPackages(
        look=look, repository=repository, rules=rules, remembered=bool(state.offers)
    )


def moves_of(broken: Iterable[BrokenPackage], rules: RebuildRules) -> dict[str, list[LibraryMove]]:
    """Return what packages are to be rebuilt for, by folder: from whoever had it to nowhere."""
    found = {
        (rules.folder_of(package.pkgbase), need.name, need.offered_by)
        for package in broken
        if not package.not_rebuilt
        for need in package.lost
    }
    moves: dict[str, list[LibraryMove]] = {}
    for folder, library, by in sorted(found):
        move = LibraryMove(library=library, before=by, after=GONE)
        moves.setdefault(folder, []).append(move)
    return moves


def rules_of(repository: CommittedRepository) -> RebuildRules:
    """Return which rebuilds are of use in a repository."""
    return RebuildRules(
        repository.folders, repository.deptree, never=repository.config.rebuild_blacklist
    )


def _class_in(folder: str, data: bytes | None) -> str | None:
    try:
        loaded = load_package_config(data or b"", origin=f"{folder}/{PackageConfig.FILE}")
    except ConfigError:
        return None  # it is not rebuilt
    return loaded.config.build_class
