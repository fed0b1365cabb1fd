"""How workers and database runners are set up: the environment variables, read and checked.

The names and the JSON values are those of the existing system.
"""

from __future__ import annotations

import json
import re
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from caur_ci.errors import CaurError, ConfigError
from caur_ci.names import check_repository_name, check_worker_name
from scheduler.schemas import problem_of

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_TIMEOUT = 3600
DEFAULT_CLASS = 2
DEFAULT_SKIP_CODE = 123
DEFAULT_GRACE = 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRepository:
    """A Git repository of PKGBUILD folders. The URL may hold credentials: never show it."""

    name: str
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraRepository:
    """A pacman repository that builds take dependencies from."""

    name: str
    servers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRepository:
    """A pacman repository that packages are published in."""

    name: str
    extra_repos: tuple[ExtraRepository, ...] = ()
    extra_keyrings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """What a worker needs to know.

    `shared` holds the caches of the source repositories and the build folders, and may be used
    by several workers. `timeout` is in seconds. `user` is the account that builds run as when the
    worker is root; without it each worker takes an unused user id.
    """

    source_repos: Mapping[str, SourceRepository]
    landing_zone: Path
    shared: Path
    name: str
    build_class: int = DEFAULT_CLASS
    timeout: int = DEFAULT_TIMEOUT
    user: str = ""
    makeflags: str = ""
    packager: str = ""
    skip_code: int = DEFAULT_SKIP_CODE

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], *, state_dir: Path) -> Self:
        """Read the settings; `state_dir` is where SHARED_PATH is by default. Raises ConfigError."""
        return cls(
            source_repos=_source_repos(environ),
            landing_zone=_folder(environ, "LANDING_ZONE_PATH", "where built packages are put"),
            shared=_absolute(environ.get("SHARED_PATH") or state_dir / "shared"),
            name=_worker_name(environ),
            build_class=_number(environ, "BUILDER_CLASS", DEFAULT_CLASS, least=1),
            timeout=_number(environ, "BUILDER_TIMEOUT", DEFAULT_TIMEOUT, least=1),
            user=environ.get("BUILDER_USER", ""),
            makeflags=environ.get("MAKEFLAGS", ""),
            packager=environ.get("PACKAGER", ""),
            skip_code=_number(environ, "CI_CODE_SKIP", DEFAULT_SKIP_CODE, least=1, most=255),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """What a database runner needs to know.

    `signing_key` selects one of several keys in `gpg_home`. `grace` is the number of seconds that
    a superseded package file stays in place for readers that still have the old database.
    """

    target_repos: Mapping[str, TargetRepository]
    repo_path: Path
    landing_zone: Path
    gpg_home: Path
    signing_key: str = ""
    grace: int = DEFAULT_GRACE

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings. Raises ConfigError."""
        return cls(
            target_repos=_target_repos(environ),
            repo_path=_folder(environ, "REPO_PATH", "where the pacman repositories are published"),
            landing_zone=_folder(environ, "LANDING_ZONE_PATH", "where workers put built packages"),
            gpg_home=_gpg_home(_folder(environ, "GPG_PATH", "the home folder of GnuPG")),
            signing_key=environ.get("GPG_KEY", ""),
            grace=_number(environ, "REPO_GRACE", DEFAULT_GRACE, least=0),
        )


def _source_repos(environ: Mapping[str, str]) -> dict[str, SourceRepository]:
    data = _json(environ, "PACKAGE_REPOS", "package-repos", '{"NAME": {"url": "https://…"}}')
    return {name: SourceRepository(name=name, url=value["url"]) for name, value in data.items()}


def _target_repos(environ: Mapping[str, str]) -> dict[str, TargetRepository]:
    data = _json(environ, "PACKAGE_TARGET_REPOS", "package-target-repos", '{"NAME": {}}')
    return {
        name: TargetRepository(
            name=name,
            extra_repos=tuple(
                ExtraRepository(name=extra["name"], servers=tuple(extra["servers"]))
                for extra in value.get("extra_repos", ())
            ),
            extra_keyrings=tuple(value.get("extra_keyrings", ())),
        )
        for name, value in data.items()
    }


def _json(environ: Mapping[str, str], variable: str, schema: str, example: str) -> dict[str, Any]:
    text = environ.get(variable, "")
    if not text.strip():
        raise ConfigError(f"{variable} is not set", hint=f"It is JSON such as {example}.")
    try:
        data = json.loads(text)
    except ValueError as error:
        raise ConfigError(
            f"{variable} is not JSON: {error}", hint=f"Expected is JSON such as {example}."
        ) from error
    problem = problem_of(schema, data)
    if problem:
        raise ConfigError(f"{variable}: {problem}", hint=f"Expected is JSON such as {example}.")
    names: dict[str, Any] = data
    for name in names:
        try:
            check_repository_name(name)
        except CaurError as error:
            raise ConfigError(f"{variable}: {error.message}") from error
    return names


def _folder(environ: Mapping[str, str], variable: str, meaning: str) -> Path:
    value = environ.get(variable, "")
    if not value:
        raise ConfigError(f"{variable} is not set", hint=f"It is {meaning}.")
    return _absolute(value)


def _absolute(path: str | Path) -> Path:
    return Path(path).expanduser().absolute()


def _gpg_home(path: Path) -> Path:
    # The existing documentation calls this "where the .gnupg folder resides", and gives examples
    # of the folder itself.
    inner = path / ".gnupg"
    return inner if inner.is_dir() else path


def _number(
    environ: Mapping[str, str], variable: str, default: int, *, least: int, most: int = 10**9
) -> int:
    text = environ.get(variable, "").strip()
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{1,10}", text) or not least <= int(text) <= most:
        limit = f"from {least} to {most}" if most < 10**9 else f"of at least {least}"
        raise ConfigError(f"{variable}={text!r} does not fit; allowed is a whole number {limit}")
    return int(text)


def _worker_name(environ: Mapping[str, str]) -> str:
    given = environ.get("BUILDER_HOSTNAME", "")
    if given:
        try:
            return check_worker_name(given)
        except CaurError as error:
            raise ConfigError(f"BUILDER_HOSTNAME: {error.message}") from error
    return re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname()).lstrip("-.") or "worker"
