"""Builds packages here one after the other, in the sandbox and with the steps of a worker."""

from __future__ import annotations

import json
import secrets
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from scheduler.files import copy_regular_file
from scheduler.history import PastJob
from scheduler.job import Outcome, Usage
from scheduler.queue import Claim
from scheduler.settings import TargetRepository, WorkerSettings
from scheduler.worker.executors.protocol import Stop
from scheduler.worker.local.repository import LocalRepository
from scheduler.worker.service import opened_builder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from threading import Event

    from scheduler.job import JobSpec
    from scheduler.settings import SourceRepository
    from scheduler.source.cache import SourceCache
    from scheduler.worker.builder import Builder
    from scheduler.worker.joblog import BuildLog
    from scheduler.worker.outcome import BuildResult
    from scheduler.worker.workspace import Workspace

_HERE = "here"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalResult:
    """How a build ended: as a job of the past, which has no number, and the packages it made.

    `interrupted` says that somebody wanted it to end.
    """

    job: PastJob
    packages: tuple[Path, ...] = ()
    interrupted: bool = False


def local_settings(
    environ: Mapping[str, str], *, state_dir: Path, source: SourceRepository
) -> WorkerSettings:
    """Read the settings of a worker that builds from `source` and delivers nothing.

    Raises ConfigError.
    """
    nowhere = state_dir / "landing-zone-of-nobody"
    given = {
        **environ,
        "PACKAGE_REPOS": json.dumps({source.name: {"url": "file:///"}}),
        "LANDING_ZONE_PATH": str(nowhere),
    }
    settings = WorkerSettings.from_environment(given, state_dir=state_dir)
    return replace(settings, source_repos={source.name: source}, landing_zone=nowhere)


class LocalBuilds:
    """Builds packages, and lets later ones have what earlier ones made."""

    def __init__(self, builder: Builder, place: Workspace, stop: Event, arch: str) -> None:
        self._builder = builder
        self._place = place
        self._stop = stop
        self._made = LocalRepository(place.folder / "packages", arch)

    @property
    def installs_dependencies(self) -> bool:
        """Whether what was built earlier is there for what is built later."""
        return self._builder.executor.installs_dependencies

    def build(self, spec: JobSpec, log: BuildLog, output: Path, *, state: str) -> LocalResult:
        """Build a package, and put what it makes into the folder `output`. Raises OSError.

        `state` tells the reader of the log what was built, such as `commit` and its id.
        """
        claim = Claim(job_id=0, token=0, attempt=1, owner=_HERE, lease_until=0.0, spec=spec)
        log.say(
            f"building {spec.pkgbase} for {spec.target_repo}/{spec.arch} from {spec.source_repo} "
            f"at {state}, here"
        )
        with self._place.build_folder(spec.pkgbase) as folder:
            result = self._builder_for(spec).build(claim, folder, log, self._why_stop)
            log.say(f"ended: {_ending(result)}")
            files = result.manifest.files if result.manifest is not None else ()
            packages = tuple(
                _taken(folder.output / file.name, output / file.name) for file in files
            )
        return LocalResult(
            job=_past(spec, result),
            packages=packages,
            interrupted=_is_interrupted(result),
        )

    def provide(self, result: LocalResult) -> None:
        """Let later builds have the packages. Raises ProcessError and OSError."""
        if self.installs_dependencies and result.packages:
            self._made.add(result.packages)

    def _builder_for(self, spec: JobSpec) -> Builder:
        settings = self._builder.settings
        target = settings.target_repos.get(spec.target_repo)
        target = self._made.before_others(target or TargetRepository(name=spec.target_repo))
        targets = {**settings.target_repos, spec.target_repo: target}
        return replace(self._builder, settings=replace(settings, target_repos=targets))

    def _why_stop(self) -> Stop | None:
        return Stop.SHUTDOWN if self._stop.is_set() else None


@contextmanager
def local_builds(
    settings: WorkerSettings,
    sources: SourceCache | None,
    stop: Event,
    *,
    arch: str,
    rebuilds: bool = False,
) -> Iterator[LocalBuilds]:
    """Provide what builds packages here; nothing of it is left behind.

    See `opened_builder` for `sources` and for what is raised, and `Builder` for `rebuilds`.
    """
    with opened_builder(settings, f"{_HERE}-{secrets.token_hex(5)}", sources) as (builder, place):
        yield LocalBuilds(replace(builder, rebuilds=rebuilds), place, stop, arch)


def _is_interrupted(result: BuildResult) -> bool:
    return result.stopped is Stop.SHUTDOWN


def _ending(result: BuildResult) -> str:
    if _is_interrupted(result):
        return "it was interrupted"
    kind = f" ({result.failure})" if result.failure else ""
    reason = f": {result.reason}" if result.reason else ""
    return f"{result.outcome.name}{kind}{reason}"


def _taken(source: Path, destination: Path) -> Path:
    """Copy a package to where it was asked for, at once."""
    fresh = destination.with_name(f".{destination.name}.new")
    fresh.unlink(missing_ok=True)
    copy_regular_file(source, fresh)
    fresh.chmod(0o644)
    fresh.rename(destination)
    return destination


def _past(spec: JobSpec, result: BuildResult) -> PastJob:
    return PastJob(
        job_id=0,
        target_repo=spec.target_repo,
        arch=spec.arch,
        pkgbase=spec.pkgbase,
        source_repo=spec.source_repo,
        commit=spec.commit,
        build_class=spec.build_class,
        outcome=result.outcome,
        failure=result.failure,
        reason=result.reason if result.outcome is not Outcome.SUCCESS else "",
        attempt=1,
        tree=result.notes.tree,
        usage=result.notes.usage or Usage(),
    )
