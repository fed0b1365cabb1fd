"""What an on-schedule run reads of the repository before it looks outside."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from caur_ci.config import (
    PackageConfig,
    RepositoryConfig,
    load_package_config,
    read_repository_config,
)
from caur_ci.deptree import DependencyTree
from caur_ci.errors import ConfigError, InputError
from caur_ci.repository import CommittedFolders, unusable_folders
from caur_ci.update.source import FollowedPackage

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from caur_ci.git import GitRepository
    from caur_ci.pipeline.shared.memory.branch import Memory
    from caur_ci.pipeline.shared.state_branch import StateBranch

AUR_STATE = ".ci/aur-state"


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedRepository:
    """The packages at one commit, and (see `with_state`) what is remembered about them.

    `broken` says of packages whose configuration cannot be used what is wrong with it. `watermark`
    is the time up to which the existing system has seen the AUR, in Unix seconds. `tree` knows all
    packages, also where only some are followed.
    """

    folders: CommittedFolders
    tree: DependencyTree
    config: RepositoryConfig
    packages: Mapping[str, FollowedPackage]
    broken: Mapping[str, str]
    watermark: int
    warnings: tuple[str, ...]

    @property
    def head(self) -> str:
        """The commit."""
        return self.folders.commit

    def with_state(self, state: StateBranch, memory: Memory) -> FollowedRepository:
        """Return the repository with what is remembered about its packages."""
        packages = {
            name: replace(
                package,
                seen=memory.seen.get(name),
                state=state.values(name),
            )
            for name, package in self.packages.items()
        }
        return replace(self, packages=packages)


def read_repository(
    git: GitRepository, head: str, *, only: Collection[str] = ()
) -> FollowedRepository:
    """Read the packages at `head`, or those of them that are in `only`.

    Raises ConfigError for a `.ci/config` that cannot be used, InputError for packages in `only`
    that do not exist.
    """
    config = read_repository_config(git, head)
    folders = CommittedFolders.at(git, head)
    missing = sorted(set(only) - set(folders.packages))
    if missing:
        raise InputError(f"there is no package {', '.join(missing)} in the repository")
    names = sorted(only) if only else folders.packages
    configs = _Configs(folders.read(PackageConfig.FILE, names))
    tree = DependencyTree.read_each(folders.each(".SRCINFO"))
    packages = {
        name: FollowedPackage(
            name=name,
            config=configs.loaded[name],
            tree=folders.tree(name),
            fields=tree.fields.get(name),
        )
        for name in names
        if name in configs.loaded
    }
    return FollowedRepository(
        folders=folders,
        tree=tree,
        config=config.config,
        packages=packages,
        broken=configs.broken,
        watermark=_watermark(git, head),
        warnings=(*config.warnings, *configs.warnings, *_odd(folders, tree)),
    )


class _Configs:
    """The configurations of packages, each different one parsed once."""

    def __init__(self, files: Mapping[str, bytes | None]) -> None:
        self.loaded: dict[str, PackageConfig] = {}
        self.broken: dict[str, str] = {}
        self.warnings: list[str] = []
        plain: dict[bytes, PackageConfig] = {b"": PackageConfig()}
        for name, content in files.items():
            data = content or b""
            if data not in plain:
                self._load(name, data, plain)
            else:
                self.loaded[name] = plain[data]

    def _load(self, name: str, data: bytes, plain: dict[bytes, PackageConfig]) -> None:
        try:
            found = load_package_config(data, origin=f"{name}/{PackageConfig.FILE}")
        except ConfigError as error:
            self.broken[name] = error.message
            return
        self.loaded[name] = found.config
        self.warnings += found.warnings
        if not found.warnings:
            plain[data] = found.config


def _watermark(git: GitRepository, head: str) -> int:
    (data,) = git.read_blobs([f"{head}:{AUR_STATE}"])
    text = (data or b"").strip()
    return int(text) if text.isdigit() else 0


def _odd(folders: CommittedFolders, tree: DependencyTree) -> Iterator[str]:
    yield from unusable_folders(folders)
    for problem in tree.problems:
        yield problem.message
