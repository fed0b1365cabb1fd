"""What commands need to know about the repository of PKGBUILDs that they run in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.config import RepositoryConfig, read_repository_config

if TYPE_CHECKING:
    from caur_ci.git import GitRepository


def head_config(git: GitRepository) -> RepositoryConfig:
    """Return the `.ci/config` at HEAD, the defaults where there is none. Raises ConfigError."""
    head = git.resolve("HEAD")
    return read_repository_config(git, head).config if head else RepositoryConfig()
