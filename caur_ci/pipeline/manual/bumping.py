"""Packages are built once more in a version of their own: `.1`, `.2` after their pkgrel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.config import PackageConfig, load_package_config
from caur_ci.errors import InputError
from caur_ci.pipeline.manual.operation import Edit, done_by
from caur_ci.pipeline.shared.commit_messages import bump_message
from caur_ci.pipeline.shared.folder_config import with_bump_in
from caur_ci.triggers.bumping import bumped_version, next_bump

if TYPE_CHECKING:
    from caur_ci.pipeline.manual.operation import Branch

ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class BumpPackages:
    """Bump `packages`, all of them where one is `all`, and what depends on `dependents_of`."""

    name = "bump"

    packages: tuple[str, ...] = ()
    dependents_of: tuple[str, ...] = ()
    reason: str = ""

    def edit(self, branch: Branch) -> Edit:
        """Return the folders with their bumps.

        Those that nobody named, because they are among all or depend on something, are left out
        with a note where they cannot be bumped. Raises InputError for those that somebody did.
        """
        named = self._named(branch)
        more = [name for name in self._more(branch) if name not in named]
        folders: dict[str, str | None] = {}
        reasons, notes = {}, []
        for name in (*named, *more):
            try:
                folders[name], version = _bumped(branch, name)
            except InputError as error:
                if name in named:
                    raise
                notes.append(f"{name} is not bumped: {error.message}")
            else:
                reasons[name] = done_by(f"bumped to {version}", branch.person, self.reason)
        return Edit(
            message=bump_message(reasons, branch.pipeline) if reasons else "",
            folders=folders,
            reasons=reasons,
            notes=tuple(notes),
        )

    def _named(self, branch: Branch) -> tuple[str, ...]:
        tree = branch.repository.deptree
        return tuple(dict.fromkeys(tree.resolve(it) for it in self.packages if it != ALL))

    def _more(self, branch: Branch) -> tuple[str, ...]:
        repository = branch.repository
        if ALL in self.packages:
            packages = repository.folders.packages
            return tuple(name for name in packages if name not in repository.empty)
        tree = repository.deptree
        owners = [tree.resolve(name) for name in self.dependents_of]
        found = {name for owner in owners for name in tree.dependants(owner)}
        if self.dependents_of and not found:
            raise InputError(f"nothing here depends on {', '.join(self.dependents_of)}")
        return tuple(sorted(found))


def _bumped(branch: Branch, name: str) -> tuple[str, str]:
    """Return the folder with a bump, and the version that it makes. Raises InputError."""
    folders = branch.repository.folders
    content = folders.read(PackageConfig.FILE, [name])[name] or b""
    config = load_package_config(content, origin=f"{name}/{PackageConfig.FILE}").config
    if config.manage_aur:
        raise InputError(
            f"{name} is pushed to the AUR (CI_MANAGE_AUR), where a bump would not be seen",
            hint="Raise pkgrel in its PKGBUILD instead.",
        )
    fields = branch.repository.deptree.fields.get(name)
    if fields is None:
        raise InputError(
            f"the .SRCINFO of {name} is missing or cannot be read",
            hint=f"`caur-ci srcinfo --write {name}` writes it.",
        )
    published = branch.memory.libraries.published(branch.repository.config.target_repo)
    bump = next_bump(config, fields.version, published.get(name, ""))
    tree = with_bump_in(branch.git, folders.tree(name), name, bump)
    return tree, bumped_version(bump, fields.version)
