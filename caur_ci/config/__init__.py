"""Typed configuration: `.ci/config` of the repository and `.CI/config` of each package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.config.loading import Loaded, load, schema_of
from caur_ci.config.package import PackageConfig
from caur_ci.config.repository import RepositoryConfig
from caur_ci.config.values import Bump, PkgbuildSource
from caur_ci.errors import ConfigError

if TYPE_CHECKING:
    from caur_ci.git import GitRepository

__all__ = [
    "Bump",
    "Loaded",
    "PackageConfig",
    "PkgbuildSource",
    "RepositoryConfig",
    "load_package_config",
    "load_repository_config",
    "package_schema",
    "read_repository_config",
    "repository_schema",
]


def load_package_config(data: bytes, *, origin: str) -> Loaded[PackageConfig]:
    """Read the content of a `.CI/config`. Raises ConfigError."""
    try:
        return load(PackageConfig, data, origin=origin, elsewhere=RepositoryConfig)
    except ConfigError:
        raise
    except Exception as error:  # whatever is in it, it is that package's
        raise ConfigError(f"{origin} cannot be used: {error!r}") from error


def load_repository_config(data: bytes, *, origin: str = ".ci/config") -> Loaded[RepositoryConfig]:
    """Read the content of the `.ci/config`. Raises ConfigError."""
    loaded = load(RepositoryConfig, data, origin=origin, elsewhere=PackageConfig)
    config = loaded.config
    warnings = list(loaded.warnings)
    if not (config.build_repo or config.repo_name):
        warnings.append(
            f"{origin}: neither REPO_NAME nor BUILD_REPO is set, {config.target_repo} is used"
        )
    return Loaded(config, loaded.file, tuple(warnings))


def read_repository_config(git: GitRepository, commit: str) -> Loaded[RepositoryConfig]:
    """Read the `.ci/config` at `commit`, the defaults where there is none. Raises ConfigError."""
    (data,) = git.read_blobs([f"{commit}:{RepositoryConfig.FILE}"])
    return load_repository_config(data or b"", origin=RepositoryConfig.FILE)


def package_schema() -> dict[str, object]:
    """Return the JSON Schema of `.CI/config`."""
    return schema_of(PackageConfig, title="Package configuration of caur-ci (.CI/config)")


def repository_schema() -> dict[str, object]:
    """Return the JSON Schema of `.ci/config`."""
    return schema_of(RepositoryConfig, title="Repository configuration of caur-ci (.ci/config)")
