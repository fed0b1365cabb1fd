"""What a worker needs to know."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from scheduler.settings import variables as v
from scheduler.settings.flavours import BUILT_IN, flavours
from scheduler.settings.kinds import absolute
from scheduler.settings.repositories import source_repos, target_repos
from scheduler.settings.values import Values
from scheduler.ssh import SshHost

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from scheduler.settings.flavours import Flavour
    from scheduler.settings.repositories import SourceRepository, TargetRepository

DEFAULT_TIMEOUT = 3600
DEFAULT_CLASS = 2
DEFAULT_SKIP_CODE = 123
DEFAULT_GROUP_RETRIES = 2
DEFAULT_STALL = 1800
DEFAULT_MIN_FREE = 256
DEFAULT_PATIENCE = 3600
DEFAULT_IMAGE = "docker.io/library/archlinux:base-devel"
# Of the variables that say how to get to the landing zone on another machine.
_SSH_PREFIX = "DATABASE"


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
class LandingZoneAddress:
    """A landing zone on the machine of the database runner, reached by SFTP."""

    ssh: SshHost
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """What a worker needs to know.

    `shared` holds the caches of the source repositories and the build folders, and may be used
    by several workers. `timeout` is in seconds. `user` is the account that builds run as when the
    worker is root; without it each worker takes an unused user id. A build that neither prints
    nor computes for `stall` seconds is ended, as is one that leaves less than `min_free` MiB of
    the disk. `key` is the SSH key that manifests are signed with. `readable` are files and folders
    of this machine that every build may read, such as local Git repositories that are sources.
    `srcdest_cache` is where sources are kept between builds, if not beside these. For `patience`
    seconds a worker tries again to deliver what it has built. With `installs` the host executor
    installs what packages need, as root. A build in a rebuild group that fails for a reason that
    may pass is tried again `group_retries` times before it holds up the group.
    Without `architectures`, it builds for those of its machine; `flavours` say how, by name.
    """

    source_repos: Mapping[str, SourceRepository]
    landing_zone: Path | LandingZoneAddress
    shared: Path
    key: Path
    name: str
    target_repos: Mapping[str, TargetRepository] = field(default_factory=dict)
    readable: tuple[Path, ...] = ()
    srcdest_cache: Path | None = None
    executor: ExecutorKind = ExecutorKind.CONTAINER
    installs: bool = False
    container: ContainerSettings = field(default_factory=ContainerSettings)
    stall: int = DEFAULT_STALL
    min_free: int = DEFAULT_MIN_FREE
    patience: int = DEFAULT_PATIENCE
    build_class: int = DEFAULT_CLASS
    timeout: int = DEFAULT_TIMEOUT
    user: str = ""
    makeflags: str = ""
    packager: str = ""
    skip_code: int = DEFAULT_SKIP_CODE
    group_retries: int = DEFAULT_GROUP_RETRIES
    architectures: tuple[str, ...] = ()
    flavours: Mapping[str, Flavour] = field(default_factory=lambda: dict(BUILT_IN))

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], *, state_dir: Path) -> Self:
        """Read the settings; `state_dir` is where SHARED_PATH is by default. Raises ConfigError."""
        values = Values(environ)
        name, key = _name_and_key(values, state_dir)
        return cls(
            source_repos=source_repos(values),
            target_repos=target_repos(values, needed=False),
            landing_zone=_landing_zone(values),
            shared=values.get(v.SHARED_PATH, absolute(state_dir / "shared")),
            key=key,
            name=name,
            readable=values.get(v.BUILDER_READABLE, ()),
            srcdest_cache=values.get(v.BUILDER_SRCDEST_CACHE_OVERRIDE),
            executor=ExecutorKind(values.get(v.BUILDER_EXECUTOR, ExecutorKind.CONTAINER)),
            installs=values.get(v.BUILDER_INSTALL, False),
            container=_container(values),
            stall=values.get(v.BUILDER_STALL, DEFAULT_STALL),
            min_free=values.get(v.BUILDER_MIN_FREE, DEFAULT_MIN_FREE),
            patience=values.get(v.BUILDER_UPLOAD_PATIENCE, DEFAULT_PATIENCE),
            build_class=values.get(v.BUILDER_CLASS, DEFAULT_CLASS),
            timeout=values.get(v.BUILDER_TIMEOUT, DEFAULT_TIMEOUT),
            user=values.get(v.BUILDER_USER, ""),
            makeflags=values.get(v.MAKEFLAGS, ""),
            packager=values.get(v.PACKAGER, ""),
            skip_code=values.get(v.CI_CODE_SKIP, DEFAULT_SKIP_CODE),
            group_retries=values.get(v.BUILDER_GROUP_RETRIES, DEFAULT_GROUP_RETRIES),
            architectures=values.get(v.BUILDER_ARCHITECTURES, ()),
            flavours=flavours(values),
        )


def worker_name_and_key(environ: Mapping[str, str], *, state_dir: Path) -> tuple[str, Path]:
    """Return the name and the key of the worker, which need no other settings."""
    return _name_and_key(Values(environ), state_dir)


def _name_and_key(values: Values, state_dir: Path) -> tuple[str, Path]:
    name = values.get(v.BUILDER_HOSTNAME) or _machine_name()
    return name, values.get(v.BUILDER_KEY, absolute(state_dir / "worker-key"))


def _machine_name() -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname()).lstrip("-.") or "worker"


def _container(values: Values) -> ContainerSettings:
    return ContainerSettings(
        image=values.get(v.BUILDER_IMAGE, DEFAULT_IMAGE),
        engine=values.get(v.CONTAINER_ENGINE, ""),
        cpus=values.get(v.BUILDER_LIMITS_CPUS, 0.0),
        memory=values.get(v.BUILDER_LIMITS_RAM, 0),
        network=values.get(v.BUILDER_NETWORK_MODE, ""),
        user_namespace=values.get(v.BUILDER_USERNS, True),
    )


def _landing_zone(values: Values) -> Path | LandingZoneAddress:
    ssh = SshHost.from_environment(values.texts, {}, prefix=_SSH_PREFIX)
    if ssh is None:
        return absolute(values.need(v.LANDING_ZONE_PATH))
    folder = values.get(v.LANDING_ZONE_ADVERTISED_PATH) or values.need(v.LANDING_ZONE_PATH)
    return LandingZoneAddress(ssh=ssh, folder=folder)
