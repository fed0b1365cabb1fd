"""What an on-schedule run reads of the repository before it looks outside."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from caur_ci.config import PackageConfig
from caur_ci.errors import InputError
from caur_ci.names import suggestion
from caur_ci.pipeline.on_schedule.package_configs import PackageConfigs
from caur_ci.pipeline.on_schedule.watermark import read_watermark
from caur_ci.pipeline.shared.committed_repository import CommittedRepository
from caur_ci.pipeline.shared.memory.adoptions import Adoptions
from caur_ci.pipeline.shared.state_branch import StateBranch
from caur_ci.policy import policy_at
from caur_ci.update.source import FollowedPackage

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from caur_ci.git import GitRepository
    from caur_ci.pipeline.shared.context import RunContext
    from caur_ci.pipeline.shared.refs import RefSnapshot
    from caur_ci.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedRepository:
    """The packages at one commit, and (see `with_state`) what is remembered about them.

    `broken` says of packages whose configuration cannot be used what is wrong with it. `watermark`
    is the time up to which the existing system has seen the AUR, in Unix seconds. `committed` knows
    all packages, also where only some are followed. `adoptions` are what is remembered of their
    maintainers.
    """

    committed: CommittedRepository
    packages: Mapping[str, FollowedPackage]
    broken: Mapping[str, str]
    watermark: int
    warnings: tuple[str, ...]
    policy: Policy
    adoptions: Adoptions = field(default_factory=Adoptions)

    @property
    def commit(self) -> str:
        """The commit."""
        return self.committed.commit

    def with_state(self, context: RunContext, snapshot: RefSnapshot) -> FollowedRepository:
        """Return the repository with what branches `state` and `caur` remember of its packages.

        Raises InputError for a branch `caur` that cannot be read.
        """
        state = StateBranch.read(context.git, snapshot.state)
        memory = context.shared.memory(snapshot)
        packages = {
            # A folder that is to be filled has none of the files that were seen before.
            name: package
            if name in self.committed.empty
            else replace(
                package,
                seen=memory.seen.get(name),
                state=state.values(name),
                vcs=memory.vcs.get(name),
            )
            for name, package in self.packages.items()
        }
        return replace(self, packages=packages, adoptions=memory.adoptions)


def read_repository(
    git: GitRepository, commit: str, *, only: Collection[str] = ()
) -> FollowedRepository:
    """Read the packages at `commit`, or those of them that are in `only`.

    Raises ConfigError for a `.ci/config` or a policy that cannot be used, InputError for packages
    in `only` that do not exist.
    """
    committed = CommittedRepository.read(git, commit)
    folders = committed.folders
    missing = sorted(set(only) - set(folders.packages))
    if missing:
        raise InputError(
            f"there is no package {', '.join(missing)} in the repository",
            hint=suggestion(missing[0], folders.packages),
        )
    names = sorted(only) if only else folders.packages
    configs = PackageConfigs(folders.read(PackageConfig.FILE, names))
    packages = {
        name: FollowedPackage(
            name=name,
            config=configs.loaded[name],
            tree=folders.tree(name),
            fields=committed.deptree.fields.get(name),
        )
        for name in names
        if name in configs.loaded
    }
    return FollowedRepository(
        committed=committed,
        packages=packages,
        broken=configs.broken,
        watermark=read_watermark(git, commit),
        policy=policy_at(git, commit),
        warnings=(
            *committed.config_warnings,
            *configs.warnings,
            *committed.folder_warnings(),
        ),
    )
