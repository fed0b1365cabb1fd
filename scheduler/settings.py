"""How workers and database runners are set up: the environment variables, read and checked.

The names and the JSON values are those of the existing system.
"""

from __future__ import annotations

import json
import re
import socket
from dataclasses import dataclass, field
from enum import StrEnum
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
DEFAULT_STALL = 1800
DEFAULT_MIN_FREE = 256
DEFAULT_IMAGE = "docker.io/library/archlinux:base-devel"
DEFAULT_ARCHIVE_DAYS = 30
DEFAULT_GENERATIONS = 10
DEFAULT_REMOVAL_SHARE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRepository:
    """A Git repository of PKGBUILD folders. The URL may hold credentials: never show it."""

    name: str
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraRepository:
    """A pacman repository that builds take dependencies from.

    `sig_level` is what pacman.conf calls SigLevel; empty for the default.
    """

    name: str
    servers: tuple[str, ...]
    sig_level: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRepository:
    """A pacman repository that packages are published in.

    Packages of architecture `any` go to all of `architectures`. Builds for it take dependencies
    from `extra_repos`, one of which may be the repository itself. Beside the keyring packages
    `extra_keyrings`, builds trust the PGP keys in the files `keys`, paths on the worker.
    """

    name: str
    architectures: tuple[str, ...] = ("x86_64",)
    extra_repos: tuple[ExtraRepository, ...] = ()
    extra_keyrings: tuple[str, ...] = ()
    keys: tuple[Path, ...] = ()


class ExecutorKind(StrEnum):
    """Where a worker builds."""

    CONTAINER = "container"
    HOST = "host"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSettings:
    """How containers are run.

    `engine` is podman or docker, empty for whichever is there. `cpus` and `memory` (MiB) are
    limits, 0 for none. `user_namespace` keeps root in the container from being root outside,
    where the engine can.
    """

    image: str = DEFAULT_IMAGE
    engine: str = ""
    cpus: float = 0.0
    memory: int = 0
    network: str = ""
    user_namespace: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteLandingZone:
    """A landing zone on the machine of the database runner, reached by SFTP."""

    host: str
    folder: str
    port: int = 22
    user: str = ""
    key: Path | None = None
    known_hosts: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """What a worker needs to know.

    `shared` holds the caches of the source repositories and the build folders, and may be used
    by several workers. `timeout` is in seconds. `user` is the account that builds run as when the
    worker is root; without it each worker takes an unused user id. A build that neither prints
    nor computes for `stall` seconds is ended, as is one that leaves less than `min_free` MiB of
    the disk. `key` is the SSH key that manifests are signed with. `readable` are files and folders
    of this machine that every build may read, such as local Git repositories that are sources.
    """

    source_repos: Mapping[str, SourceRepository]
    landing_zone: Path | RemoteLandingZone
    shared: Path
    key: Path
    name: str
    target_repos: Mapping[str, TargetRepository] = field(default_factory=dict)
    readable: tuple[Path, ...] = ()
    executor: ExecutorKind = ExecutorKind.CONTAINER
    container: ContainerSettings = field(default_factory=ContainerSettings)
    stall: int = DEFAULT_STALL
    min_free: int = DEFAULT_MIN_FREE
    build_class: int = DEFAULT_CLASS
    timeout: int = DEFAULT_TIMEOUT
    user: str = ""
    makeflags: str = ""
    packager: str = ""
    skip_code: int = DEFAULT_SKIP_CODE

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], *, state_dir: Path) -> Self:
        """Read the settings; `state_dir` is where SHARED_PATH is by default. Raises ConfigError."""
        shared = _absolute(environ.get("SHARED_PATH") or state_dir / "shared")
        return cls(
            source_repos=_source_repos(environ),
            target_repos=_target_repos(environ, needed=False),
            landing_zone=_folder(environ, "LANDING_ZONE_PATH", "where built packages are put"),
            shared=shared,
            key=_absolute(environ.get("BUILDER_KEY") or state_dir / "worker-key"),
            executor=_executor(environ),
            readable=_paths(environ, "BUILDER_READABLE"),
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

    `allowed_workers` is a file as ssh-keygen's allowed_signers: whose deliveries are published.
    `signing_key` selects one of several keys in `gpg_home`. `grace` is the number of seconds that
    a superseded package file stays in place for readers that still have the old database; then it
    goes to the archive for `archive_days`, and for longer where one of the last `generations`
    needs it. A removal of more than `removal_share` percent has to be confirmed.
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

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], *, state_dir: Path) -> Self:
        """Read the settings; `state_dir` is where SHARED_PATH is by default. Raises ConfigError."""
        return cls(
            source_repos=_source_repos(environ),
            target_repos=_target_repos(environ),
            allowed_workers=_folder(
                environ, "ALLOWED_WORKERS", "the file with the keys of the workers"
            ),
            cache=_absolute(environ.get("SHARED_PATH") or state_dir / "shared"),
            repo_path=_folder(environ, "REPO_PATH", "where the pacman repositories are published"),
            landing_zone=_folder(environ, "LANDING_ZONE_PATH", "where workers put built packages"),
            gpg_home=_gpg_home(_folder(environ, "GPG_PATH", "the home folder of GnuPG")),
            signing_key=environ.get("GPG_KEY", ""),
            grace=_number(environ, "REPO_GRACE", DEFAULT_GRACE, least=0),
        )


def _executor(environ: Mapping[str, str]) -> ExecutorKind:
    text = environ.get("BUILDER_EXECUTOR") or ExecutorKind.CONTAINER
    try:
        return ExecutorKind(text)
    except ValueError as error:
        raise ConfigError(
            f"BUILDER_EXECUTOR={text!r} does not fit; allowed are {', '.join(ExecutorKind)}"
        ) from error


def _paths(environ: Mapping[str, str], variable: str) -> tuple[Path, ...]:
    return tuple(_absolute(path) for path in environ.get(variable, "").split(":") if path)


def _source_repos(environ: Mapping[str, str]) -> dict[str, SourceRepository]:
    data = _json(environ, "PACKAGE_REPOS", "package-repos", '{"NAME": {"url": "https://…"}}')
    return {name: SourceRepository(name=name, url=value["url"]) for name, value in data.items()}


def _target_repos(
    environ: Mapping[str, str], *, needed: bool = True
) -> dict[str, TargetRepository]:
    if not needed and not environ.get("PACKAGE_TARGET_REPOS"):
        return {}
    data = _json(environ, "PACKAGE_TARGET_REPOS", "package-target-repos", '{"NAME": {}}')
    return {
        name: TargetRepository(
            name=name,
            architectures=tuple(value.get("architectures", ("x86_64",))),
            extra_repos=tuple(
                ExtraRepository(
                    name=extra["name"],
                    servers=tuple(extra["servers"]),
                    sig_level=extra.get("sig_level", ""),
                )
                for extra in value.get("extra_repos", ())
            ),
            extra_keyrings=tuple(value.get("extra_keyrings", ())),
            keys=tuple(_absolute(key) for key in value.get("keys", ())),
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
