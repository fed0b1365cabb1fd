"""What workers and the database runner of a run are told: their whole environment."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from caur_ci.architectures import DEFAULT_ARCHITECTURE
from caur_ci.environment import child_environment
from scheduler.settings import ExecutorKind, WorkerSettings
from scheduler.settings.repositories import target_repos
from scheduler.settings.values import Values
from scheduler.settings.variables import BUILDER_EXECUTOR
from scheduler.worker.architectures import buildable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from caur_ci.standalone.signing import SigningHome
    from caur_ci.standalone.workdir import WorkDir

_PORTABLE = "REPO_PORTABLE_NAMES"
_ENGINES = ("podman", "docker")
# Those who run this may mean another queue, landing zone or worker by these.
_NOT_OURS = ("REDIS_", "DATABASE_", "BUILDER_HOSTNAME", "BUILDER_CLASS", "BUILDER_KEY")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is built from where, and published in what.

    `sources` and `targets` are the names of repositories, `source_url` where all of the former
    are, `target_architectures` what packages are built for, `servers` where else readers find the
    targets, as pacman.conf has it. With `portable_names`
    packages are published under names that every place can store, unless somebody decided that.
    """

    work: WorkDir
    signing: SigningHome
    sources: frozenset[str]
    targets: frozenset[str]
    source_url: str
    executor: ExecutorKind
    repo_path: Path
    target_architectures: tuple[str, ...] = (DEFAULT_ARCHITECTURE,)
    servers: tuple[str, ...] = ()
    portable_names: bool = False

    def environment(self) -> dict[str, str]:
        """Return the environment of the database runner."""
        work = self.work
        inherited = child_environment()
        return {
            **({_PORTABLE: "true"} if self.portable_names else {}),
            **{name: it for name, it in inherited.items() if not name.startswith(_NOT_OURS)},
            "CAUR_STATE_DIR": str(work.state),
            "SHARED_PATH": str(work.shared),
            "LANDING_ZONE_PATH": str(work.landing),
            "REPO_PATH": str(self.repo_path),
            "GPG_PATH": str(self.signing.folder),
            "ALLOWED_WORKERS": str(work.allowed_workers),
            "BUILDER_EXECUTOR": self.executor.value,
            "PACKAGE_REPOS": json.dumps({name: {"url": self.source_url} for name in self.sources}),
            "PACKAGE_TARGET_REPOS": json.dumps(
                {name: self._target(name, inherited) for name in self.targets}
            ),
        }

    @cached_property
    def architectures(self) -> tuple[str, ...]:
        """What workers of this run build for. Raises ConfigError."""
        environment = {**self.environment(), **self.of_worker(worker_name(1))}
        return buildable(WorkerSettings.from_environment(environment, state_dir=self.work.state))

    def of_worker(self, name: str) -> dict[str, str]:
        """Return what the worker called `name` is told besides."""
        return {"BUILDER_HOSTNAME": name, "BUILDER_KEY": str(self.work.worker_key(name))}

    def _target(self, name: str, environ: Mapping[str, str]) -> dict[str, Any]:
        """Return what builds for a target are to know: what PACKAGE_TARGET_REPOS says, and us."""
        given = _given_target(name, environ)
        own = f"{self.repo_path.as_uri()}/$repo/$arch"
        # What is not on this machine is where readers have it.
        extra = [{"name": name, "servers": [own, *self.servers]}]
        extra += [it for it in given.get("extra_repos", ()) if it["name"] != name]
        keys = [*given.get("keys", ()), str(self.repo_path / name / f"{name}.asc")]
        architectures = given.get("architectures") or list(self.target_architectures)
        return {
            **given,
            "extra_repos": extra,
            "keys": keys,
            "architectures": architectures,
        }


def worker_name(number: int) -> str:
    """Return what one of the workers of a run is called."""
    return f"run-{number}"


def usual_executor(environ: Mapping[str, str]) -> ExecutorKind:
    """Return BUILDER_EXECUTOR, by default containers where they can be had, else this machine.

    Raises ConfigError.
    """
    if named := Values(environ).get(BUILDER_EXECUTOR):
        return ExecutorKind(named)
    has_engine = any(map(shutil.which, _ENGINES))
    return ExecutorKind.CONTAINER if has_engine else ExecutorKind.HOST


def usual_workers() -> int:
    """Return how many packages are built side by side: one for each four processors."""
    return max(1, len(os.sched_getaffinity(0)) // 4)


def _given_target(name: str, environ: Mapping[str, str]) -> dict[str, Any]:
    text = environ.get("PACKAGE_TARGET_REPOS", "")
    target_repos(Values(environ), needed=False)  # says what is wrong with it
    given: dict[str, Any] = json.loads(text).get(name, {}) if text else {}
    return given
