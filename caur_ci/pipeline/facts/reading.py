"""One repository of PKGBUILDs, read at the commits of its branches."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from caur_ci.architectures import build_targets
from caur_ci.config import PackageConfig, load_package_config
from caur_ci.credentials import without_credentials
from caur_ci.errors import ConfigError
from caur_ci.facts import PackageSummary
from caur_ci.pipeline.shared.committed_repository import CommittedRepository
from caur_ci.pipeline.shared.memory.branch import Memory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caur_ci.config import PkgbuildSource
    from caur_ci.git import GitRepository
    from caur_ci.pipeline.facts.mirror import Tips
    from caur_ci.srcinfo import SrcinfoFields


@dataclass(frozen=True)
class Reading:
    """The packages at one commit, and what branch `caur` remembers of them."""

    git: GitRepository
    name: str
    tips: Tips
    committed: float
    repository: CommittedRepository
    configs: Mapping[str, PackageConfig]
    memory: Memory = field(default_factory=Memory)

    @property
    def target_repo(self) -> str:
        """The pacman repository that the packages are published in."""
        return self.repository.config.target_repo

    @cached_property
    def summaries(self) -> dict[str, PackageSummary]:
        """All packages, by name and sorted."""
        empty = self.repository.empty
        return {
            name: self._summary(name)
            for name in self.repository.folders.packages
            if name not in empty
        }

    def summary(self, package: str) -> PackageSummary:
        """Return a package, also one that is not there any more."""
        found = self.summaries.get(package)
        return found or PackageSummary(
            pkgbase=package, source_repo=self.name, target_repo=self.target_repo
        )

    def _summary(self, package: str) -> PackageSummary:
        fields = self.repository.deptree.fields.get(package)
        config = self.configs.get(package)
        seen = self.memory.seen.get(package)
        people = (seen.maintainer, *seen.comaintainers.split()) if seen.maintainer else ()
        return PackageSummary(
            pkgbase=package,
            source_repo=self.name,
            target_repo=self.target_repo,
            version=fields.version if fields else "",
            source=_told(config.source) if config and config.source else "custom",
            build_class=(config.build_class if config else None)
            or self.repository.config.default_class
            or "",
            maintainers=people,
            architectures=self._architectures(fields, config),
        )

    def _architectures(
        self, fields: SrcinfoFields | None, config: PackageConfig | None
    ) -> tuple[str, ...]:
        """Return what a package is built for; the first of the repository where that is nothing."""
        every = self.repository.config.architectures
        only = config.architectures if config else ()
        targets = build_targets(fields.arch if fields else (), every, only)
        return tuple(target.arch for target in targets) or every[:1]


def read_repository(
    git: GitRepository, name: str, tips: Tips, before: Reading | None = None
) -> Reading:
    """Read what is not known from `before`.

    Raises GitError, ConfigError for a `.ci/config` that cannot be used and InputError for a branch
    `caur` that cannot.
    """
    configs: Mapping[str, PackageConfig]
    if before is None or before.tips.packages != tips.packages:
        repository = CommittedRepository.read(git, tips.packages)
        configs = _configs(repository)
        committed = float(git.git("show", "-s", "--format=%ct", tips.packages))
    else:
        repository, configs, committed = before.repository, before.configs, before.committed
    if before is not None and before.tips.memory == tips.memory:
        memory = before.memory
    else:
        memory = Memory.read(git, tips.memory)
    return Reading(git, name, tips, committed, repository, configs, memory)


def _configs(repository: CommittedRepository) -> dict[str, PackageConfig]:
    """Return the configuration of each package; one that cannot be used is left out."""
    found = {}
    for name, data in repository.folders.read(PackageConfig.FILE).items():
        try:
            loaded = load_package_config(data or b"", origin=f"{name}/{PackageConfig.FILE}")
        except ConfigError:
            continue
        found[name] = loaded.config
    return found


def _told(source: PkgbuildSource) -> str:
    if source.kind == "git":
        return without_credentials(source.location)
    return f"{source.kind}:{source.location}" if source.location else source.kind
