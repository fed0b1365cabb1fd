"""What all runs read of the repository of PKGBUILDs at one commit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from caur_ci.architectures import BuildTarget, base_of, build_targets
from caur_ci.config import PackageConfig, load_package_config, read_repository_config
from caur_ci.deptree import DependencyTree, ProblemKind, problem_sentences
from caur_ci.errors import ConfigError
from caur_ci.git import Identity
from caur_ci.package_folders import CommittedFolders, unusable_folders

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from caur_ci.config import RepositoryConfig
    from caur_ci.git import GitRepository

_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CommittedRepository:
    """The package folders at one commit, their configuration, and what depends on what.

    `config_warnings` are about `.ci/config`.
    `empty` are folders that have neither PKGBUILD nor `.SRCINFO`: no packages, or none yet.
    `deptree` is for the first architecture; `other_deptrees` are for those of the repository that
    are neither this one nor flavours of it, by what they are flavours of.
    """

    folders: CommittedFolders
    config: RepositoryConfig
    deptree: DependencyTree
    config_warnings: tuple[str, ...]
    empty: frozenset[str]
    other_deptrees: Mapping[str, DependencyTree] = field(default_factory=dict)

    @classmethod
    def read(cls, git: GitRepository, commit: str) -> Self:
        """Read it. Raises ConfigError for a `.ci/config` that cannot be used."""
        loaded = read_repository_config(git, commit)
        folders = CommittedFolders.at(git, commit, generate=loaded.config.generate_srcinfo)
        first, *others = dict.fromkeys(map(base_of, loaded.config.architectures))
        deptree = DependencyTree.read_each(folders.srcinfos(), arch=first)
        missing = {p.package for p in deptree.problems if p.kind is ProblemKind.MISSING}
        empty = missing - folders.having("PKGBUILD", sorted(missing))
        return cls(
            folders=folders,
            config=loaded.config,
            deptree=deptree,
            config_warnings=tuple(loaded.warnings),
            empty=frozenset(empty),
            other_deptrees={
                base: DependencyTree.read_each(folders.srcinfos(), arch=base) for base in others
            },
        )

    def folder_warnings(self, *, but: Collection[str] = ()) -> Iterator[str]:
        """Yield what is wrong with folders and `.SRCINFO` files, `but` for those of packages."""
        yield from unusable_folders(self.folders)
        left_out = self.empty.union(but)
        yield from problem_sentences(
            it for it in self.deptree.problems if it.package not in left_out
        )
        yield from _built_for_nothing(self.deptree, self.config)

    def deptree_for(self, arch: str) -> DependencyTree:
        """Return what depends on what for an architecture."""
        return self.other_deptrees.get(base_of(arch), self.deptree)

    def build_targets(self, packages: Iterable[str]) -> dict[str, tuple[BuildTarget, ...]]:
        """Return what each of `packages` is built for; nothing where no architecture fits."""
        found = {}
        for name, data in self.folders.read(PackageConfig.FILE, packages).items():
            fields = self.deptree.fields.get(name)
            found[name] = build_targets(
                fields.arch if fields else (),
                self.config.architectures,
                _restriction(data or b"", name),
            )
        return found

    def no_target(self, package: str) -> str:
        """Return why a package is built for no architecture."""
        fields = self.deptree.fields.get(package)
        declared = f"arch=({' '.join(fields.arch)})" if fields else "its .SRCINFO"
        return (
            f"nothing to build for: the repository has {' '.join(self.config.architectures)}, the "
            f"package {declared}; CI_ARCHITECTURES in .ci/config or {package}/.CI/config decides"
        )

    @property
    def commit(self) -> str:
        """The commit."""
        return self.folders.commit

    @property
    def identity(self) -> Identity:
        """Who the commits of pipelines are by."""
        return Identity(self.config.author_name, self.config.author_email)


def _built_for_nothing(deptree: DependencyTree, config: RepositoryConfig) -> Iterator[str]:
    """Yield a sentence about packages that declare no architecture of the repository."""
    found = [
        name
        for name, fields in deptree.fields.items()
        if fields.arch and not build_targets(fields.arch, config.architectures)
    ]
    if found:
        names = ", ".join([*found[:_SHOWN], *(["…"] if len(found) > _SHOWN else [])])
        yield (
            f"not built, because their arch has nothing of {' '.join(config.architectures)} "
            f"(CI_ARCHITECTURES): {names}"
        )


def _restriction(data: bytes, package: str) -> tuple[str, ...]:
    """Return what CI_ARCHITECTURES of a package says; nothing where its file cannot be used."""
    try:
        origin = f"{package}/{PackageConfig.FILE}"
        return load_package_config(data, origin=origin).config.architectures
    except ConfigError:
        return ()  # told where its build class is looked up
