"""What all runs read of the repository of PKGBUILDs at one commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from caur_ci.config import read_repository_config
from caur_ci.deptree import DependencyTree, ProblemKind, problem_sentences
from caur_ci.git import Identity
from caur_ci.package_folders import CommittedFolders, unusable_folders

if TYPE_CHECKING:
    from caur_ci.config import RepositoryConfig
    from caur_ci.git import GitRepository


@dataclass(frozen=True, slots=True, kw_only=True)
class CommittedRepository:
    """The package folders at one commit, their configuration, and what depends on what.

    `config_warnings` are about `.ci/config`, `folder_warnings` about folders and `.SRCINFO` files.
    `empty` are folders that have neither PKGBUILD nor `.SRCINFO`: no packages, or none yet.
    """

    folders: CommittedFolders
    config: RepositoryConfig
    deptree: DependencyTree
    config_warnings: tuple[str, ...]
    folder_warnings: tuple[str, ...]
    empty: frozenset[str]

    @classmethod
    def read(cls, git: GitRepository, commit: str) -> Self:
        """Read it. Raises ConfigError for a `.ci/config` that cannot be used."""
        loaded = read_repository_config(git, commit)
        folders = CommittedFolders.at(git, commit, generate=loaded.config.generate_srcinfo)
        deptree = DependencyTree.read_each(folders.srcinfos())
        missing = {p.package for p in deptree.problems if p.kind is ProblemKind.MISSING}
        empty = missing - folders.having("PKGBUILD", sorted(missing))
        problems = (problem for problem in deptree.problems if problem.package not in empty)
        return cls(
            folders=folders,
            config=loaded.config,
            deptree=deptree,
            config_warnings=tuple(loaded.warnings),
            folder_warnings=(*unusable_folders(folders), *problem_sentences(problems)),
            empty=frozenset(empty),
        )

    @property
    def commit(self) -> str:
        """The commit."""
        return self.folders.commit

    @property
    def identity(self) -> Identity:
        """Who the commits of pipelines are by."""
        return Identity(self.config.author_name, self.config.author_email)
