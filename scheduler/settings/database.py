"""What a database runner needs to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from scheduler.settings import variables as v
from scheduler.settings.kinds import absolute
from scheduler.settings.repositories import source_repos, target_repos
from scheduler.settings.values import Values

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from scheduler.settings.repositories import SourceRepository, TargetRepository

DEFAULT_GRACE = 24 * 3600
DEFAULT_ARCHIVE_DAYS = 30
DEFAULT_GENERATIONS = 10
DEFAULT_REMOVAL_SHARE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """What a database runner needs to know.

    `allowed_workers` is a file as ssh-keygen's allowed_signers: whose deliveries are published.
    `signing_key` selects one of several keys in `gpg_home`. `grace` is the number of seconds that
    a superseded package file stays in place for readers that still have the old database; then it
    goes to the archive for `archive_days`, and for longer where one of the last `generations`
    needs it. A removal of more than `removal_share` percent has to be confirmed. The names in
    the databases `distribution` are those of the distribution's own packages, and so are the files
    where `.files` databases are beside them. With `portable_names`, package files have no colon and
    the like in their names.
    """

    source_repos: Mapping[str, SourceRepository]
    target_repos: Mapping[str, TargetRepository]
    allowed_workers: Path
    cache: Path
    repo_path: Path
    landing_zone: Path
    gpg_home: Path
    signing_key: str = ""
    grace: int = DEFAULT_GRACE
    archive_days: int = DEFAULT_ARCHIVE_DAYS
    generations: int = DEFAULT_GENERATIONS
    removal_share: int = DEFAULT_REMOVAL_SHARE
    distribution: tuple[Path, ...] = ()
    portable_names: bool = False

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], *, state_dir: Path) -> Self:
        """Read the settings; `state_dir` is where SHARED_PATH is by default. Raises ConfigError."""
        values = Values(environ)
        return cls(
            source_repos=source_repos(values),
            target_repos=target_repos(values),
            allowed_workers=values.need(v.ALLOWED_WORKERS),
            cache=values.get(v.SHARED_PATH, absolute(state_dir / "shared")),
            repo_path=values.need(v.REPO_PATH),
            landing_zone=absolute(values.need(v.LANDING_ZONE_PATH)),
            gpg_home=gpg_home(values),
            signing_key=values.get(v.GPG_KEY, ""),
            grace=values.get(v.REPO_GRACE, DEFAULT_GRACE),
            archive_days=values.get(v.REPO_ARCHIVE_DAYS, DEFAULT_ARCHIVE_DAYS),
            generations=values.get(v.REPO_GENERATIONS, DEFAULT_GENERATIONS),
            removal_share=values.get(v.REPO_REMOVAL_SHARE, DEFAULT_REMOVAL_SHARE),
            distribution=values.get(v.DISTRIBUTION_DATABASES, ()),
            portable_names=values.get(v.REPO_PORTABLE_NAMES, False),
        )


def gpg_home(values: Values) -> Path:
    """Return the GnuPG folder with the key of the repositories. Raises ConfigError."""
    path = values.need(v.GPG_PATH)
    # The existing documentation calls this "where the .gnupg folder resides", and gives examples
    # of the folder itself.
    inner = path / ".gnupg"
    return inner if inner.is_dir() else path
