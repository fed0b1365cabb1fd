"""One round of pushing: what is wanted of it, and what it begins with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from caur_ci.config import read_repository_config
from caur_ci.errors import GitError, InputError
from caur_ci.git import Identity
from caur_ci.names import suggestion
from caur_ci.package_folders import CommittedFolders
from caur_ci.pipeline.aur_pushing.managed import managed_packages

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from caur_ci.config import RepositoryConfig
    from caur_ci.pipeline.aur_pushing.managed import ManagedPackage
    from caur_ci.pipeline.shared.context import RunContext
    from caur_ci.pipeline.shared.memory.branch import Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class AurRound:
    """What is wanted of one round.

    `run` is what the ledger calls it, `now` its time in Unix seconds. `packages` are those that it
    is about, by default all. With `asked`, somebody is there who wants to know: also packages that
    are in step as far as is remembered, or were refused lately, are looked at. `over` and `dry_run`
    are as `Courier` has them; `offline` asks nobody, and is for a dry run only.
    """

    run: str
    now: float
    packages: tuple[str, ...] = ()
    asked: bool = False
    over: str = ""
    dry_run: bool = False
    offline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundState:
    """Where the branch of the packages is now, what is on it, and what is remembered."""

    commit: str
    config: RepositoryConfig
    packages: Sequence[ManagedPackage]
    memory: Memory

    @classmethod
    def read(cls, context: RunContext) -> Self:
        """Read it. Raises ConfigError, GitError and TemporaryError."""
        snapshot = context.shared.snapshot(context.branch)
        if snapshot.branch is None:
            raise GitError(
                f"there is no {context.branch} whose packages could be pushed",
                hint="Run this on a branch that has been pushed.",
            )
        config = read_repository_config(context.git, snapshot.branch).config
        return cls(
            commit=snapshot.branch,
            config=config,
            packages=managed_packages(context.git, snapshot.branch, config),
            memory=context.shared.memory(snapshot),
        )

    @property
    def identity(self) -> Identity:
        """Who the commits are by."""
        return Identity(self.config.author_name, self.config.author_email)


def check_managed(context: RunContext, names: Iterable[str], state: RoundState) -> None:
    """Raise InputError for packages that are not pushed to the AUR, or do not exist."""
    if not state.config.manage_aur:
        raise InputError(
            "this repository pushes no packages to the AUR",
            hint="Set CI_MANAGE_AUR=true in .ci/config, and in .CI/config of each of the packages.",
        )
    known = {package.name for package in state.packages}
    others = [name for name in names if name not in known]
    if not others:
        return
    folders = CommittedFolders.at(context.git, state.commit).packages
    missing = [name for name in others if name not in folders]
    if missing:
        raise InputError(
            f"there is no package {', '.join(missing)} at the tip of the branch",
            hint=suggestion(missing[0], folders),
        )
    raise InputError(
        f"not pushed to the AUR: {', '.join(others)}",
        hint=f"Set CI_MANAGE_AUR=true in {others[0]}/.CI/config, and push that.",
    )
