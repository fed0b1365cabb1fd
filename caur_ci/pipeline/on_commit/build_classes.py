"""Which workers build each package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.config import load_package_config
from caur_ci.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caur_ci.config import RepositoryConfig
    from caur_ci.package_folders import PackageFolders


@dataclass(frozen=True, slots=True)
class BuildClasses:
    """The build class of each package that can be built, and what was odd on the way.

    `unusable` says of packages whose configuration cannot be used what is wrong with it.
    """

    by_package: Mapping[str, str | None]
    unusable: Mapping[str, str]
    warnings: tuple[str, ...]


def build_classes(
    folders: PackageFolders, config: RepositoryConfig, overrides: Mapping[str, str | None]
) -> BuildClasses:
    """Find the build class of each package in `overrides`.

    The override comes first, then BUILDER_CLASS of the package, then CI_DEFAULT_CLASS.
    """
    classes: dict[str, str | None] = {}
    warnings: list[str] = []
    unusable: dict[str, str] = {}
    for package, data in folders.read(".CI/config", overrides).items():
        own = None
        if data is not None:
            try:
                loaded = load_package_config(data, origin=f"{package}/.CI/config")
            except ConfigError as error:
                unusable[package] = error.message
                continue
            own = loaded.config.build_class
            warnings += loaded.warnings
        classes[package] = overrides[package] or own or config.default_class
    return BuildClasses(classes, unusable, tuple(warnings))
