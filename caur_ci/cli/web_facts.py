"""What the web server knows of repositories of PKGBUILDs: copies of them, kept fresh."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from caur_ci.git import GitRepository
    from scheduler.web.facts import RepositoryFacts


@contextmanager
def repository_facts(
    environment: Mapping[str, str], *, repo: Path | None = None
) -> Iterator[RepositoryFacts | None]:
    """Keep what is known of the repositories in PACKAGE_REPOS fresh until the block ends.

    With `repo`, of the one of that clone instead. None where there is no repository. Raises
    ConfigError, and GitError where `repo` is none.
    """
    from caur_ci.pipeline.facts import FollowedFacts, Mirror  # noqa: PLC0415 - slow to import
    from scheduler.connection import default_state_dir  # noqa: PLC0415

    places = _of_clone(repo) if repo is not None else _of_settings(environment)
    if not places:
        yield None
        return
    folder = default_state_dir() / "facts"
    with FollowedFacts([Mirror(folder, name, url) for name, url in places.items()]) as facts:
        yield facts


def _of_settings(environment: Mapping[str, str]) -> dict[str, str]:
    from scheduler.settings.repositories import source_repos  # noqa: PLC0415 - slow to import
    from scheduler.settings.values import Values  # noqa: PLC0415

    known = source_repos(Values(environment), needed=False)
    return {name: source.url for name, source in known.items()}


def _of_clone(repo: Path) -> dict[str, str]:
    from caur_ci.cli.head_config import head_config  # noqa: PLC0415 - slow to import
    from caur_ci.git import GitRepository  # noqa: PLC0415

    git = GitRepository.open(repo)
    return {head_config(git).source_repo: _origin_of(git)}


def _origin_of(git: GitRepository) -> str:
    """Return where a clone comes from; the clone itself, if it comes from nowhere."""
    told = git.git("config", "--get", "remote.origin.url", allowed=(0, 1)).decode().strip()
    is_path = "://" not in told and ":" not in told.partition("/")[0]
    if not told:
        return str(git.folder.absolute())
    return str((git.folder / told).absolute()) if is_path else told
