"""Which packages are pushed to the AUR, and the files that it should have of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.aur_repository.belonging import PKGBUILD, PackageFiles, files_that_belong
from caur_ci.aur_repository.rules import BrokenRule, broken_rules
from caur_ci.config import PackageConfig, load_package_config
from caur_ci.errors import CaurError, ConfigError, InputError
from caur_ci.package_folders import CommittedFolders
from caur_ci.pkgbuild.foreign import fields_out_of_step
from caur_ci.srcinfo import SRCINFO, parse_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.config import RepositoryConfig
    from caur_ci.confined import Confined
    from caur_ci.git import GitRepository

_KEY = b"CI_MANAGE_AUR"
_NO_FILES = PackageFiles("", (), ())


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedPackage:
    """A package that is pushed to the AUR, as it is at one commit.

    `problem` tells why its files cannot be told at all. `commits_srcinfo` tells whether the folder
    has a `.SRCINFO` of its own, or one that follows from the PKGBUILD.
    """

    name: str
    files: PackageFiles = _NO_FILES
    srcinfo: bytes | None = None
    commits_srcinfo: bool = True
    problem: str = ""

    @property
    def tree(self) -> str:
        """The files that the AUR should have, as a tree."""
        return self.files.tree

    @property
    def version(self) -> str:
        """The version, empty where it cannot be told."""
        try:
            return parse_fields(self.srcinfo or b"").version
        except InputError:
            return ""

    def refusals(self, git: GitRepository, confined: Confined) -> Iterator[str]:
        """Yield why it cannot be pushed as it is, each with what to do."""
        if self.problem:
            yield self.problem
            return
        broken = broken_rules(self.name, self.srcinfo, self.files.files)
        yield from map(str, broken)
        if not broken and self.commits_srcinfo:
            yield from map(str, self._out_of_step(git, confined))

    def _out_of_step(self, git: GitRepository, confined: Confined) -> Iterator[BrokenRule]:
        (pkgbuild,) = git.read_blobs([f"{self.tree}:{PKGBUILD}"])
        try:
            found = fields_out_of_step(
                confined, pkgbuild or b"", self.srcinfo or b"", folder=self.name
            )
        except CaurError:
            return  # nobody knows, so it is no reason
        if found:
            fields = ", ".join(dict.fromkeys(difference.field for difference in found))
            yield BrokenRule(
                SRCINFO,
                f"it does not follow from the PKGBUILD ({fields})",
                f"`caur-ci srcinfo --write {self.name}` writes it anew.",
            )


def managed_packages(
    git: GitRepository, commit: str, config: RepositoryConfig
) -> list[ManagedPackage]:
    """Return the packages at `commit` that both configurations let go to the AUR, by name."""
    if not config.manage_aur:
        return []
    folders = CommittedFolders.at(git, commit, generate=config.generate_srcinfo)
    names = [*_managed(folders)]
    committed = folders.read(SRCINFO, names)
    made = dict(folders.srcinfos(names))
    found = []
    for name in names:
        srcinfo = made[name]
        try:
            found.append(
                ManagedPackage(
                    name=name,
                    files=files_that_belong(
                        git, folders.tree(name), srcinfo if isinstance(srcinfo, bytes) else None
                    ),
                    srcinfo=srcinfo if isinstance(srcinfo, bytes) else None,
                    commits_srcinfo=committed[name] is not None,
                    problem="" if srcinfo is None or isinstance(srcinfo, bytes) else str(srcinfo),
                )
            )
        except InputError as error:
            found.append(ManagedPackage(name=name, problem=error.message))
    return found


def _managed(folders: CommittedFolders) -> Iterator[str]:
    for name, data in folders.read(PackageConfig.FILE).items():
        if data is None or _KEY not in data:
            continue
        try:
            config = load_package_config(data, origin=f"{name}/{PackageConfig.FILE}").config
        except ConfigError:
            continue  # on-commit tells what is wrong with it
        if config.manage_aur:
            yield name
