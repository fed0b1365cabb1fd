"""From a job to package files: export, build in a guest, describe what was made."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from caur_ci.architectures import base_of
from caur_ci.credentials import without_credentials
from caur_ci.errors import CaurError, InputError
from caur_ci.git.trees import UnsafeTreeError
from caur_ci.interfere import InterfereError
from scheduler.files import NotAFileError
from scheduler.job import FailureClass, Outcome, Usage
from scheduler.landing import Manifest
from scheduler.queue import BuildNotes
from scheduler.result import Allowance, BadPackageError, sanitize_and_describe_packages
from scheduler.settings import Flavour, TargetRepository
from scheduler.source.fetching import SourceMissingError
from scheduler.worker.architectures import image_of, machine_architecture, makepkg_settings
from scheduler.worker.build_run import BuildRun
from scheduler.worker.executors.protocol import BuildSpec, GuestError, StoppedError
from scheduler.worker.outcome import BuildResult, failed
from scheduler.worker.plan import read_plan
from scheduler.worker.steps import StepCommands
from scheduler.worker.watch import BuildWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scheduler.job import JobSpec
    from scheduler.landing import DeliveredFile
    from scheduler.queue import Claim
    from scheduler.settings import SourceRepository, WorkerSettings
    from scheduler.source.cache import SourceCache, SourceFolder
    from scheduler.worker.executors.protocol import BuildFolder, Executor, Guest, Stop
    from scheduler.worker.joblog import BuildLog
    from scheduler.worker.plan import BuildPlan
    from scheduler.worker.srcdest_cache import KeptSources, SrcdestCache
    from scheduler.worker.users import BuildUser

_log = logging.getLogger(__name__)

_REPOSITORY_CONFIG = ".ci/config"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Build:
    """One build that has begun, with what the package says about it."""

    claim: Claim
    folder: BuildFolder
    log: BuildLog
    repository: SourceRepository
    source: SourceFolder
    plan: BuildPlan
    started: float
    watch: BuildWatch

    def check(self) -> None:
        """Raise StoppedError when the build has to end."""
        stop = self.watch.why_stop(Usage())
        if stop is not None:
            raise StoppedError(stop)


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """What is needed to build any job on this worker.

    It builds for `architectures`. One that `rebuilds` does not look whether the target repository
    has the packages already.
    """

    settings: WorkerSettings
    worker_id: str
    sources: SourceCache
    downloads: SrcdestCache
    executor: Executor
    user: BuildUser
    architectures: tuple[str, ...]
    rebuilds: bool = False

    def build(
        self,
        claim: Claim,
        folder: BuildFolder,
        log: BuildLog,
        should_stop: Callable[[], Stop | None],
    ) -> BuildResult:
        """Build the job of `claim` in `folder`. Never raises for what a package does.

        What nobody foresaw counts as a failure of the worker, which is tried again so many times
        and no more.
        """
        try:
            build = self._begin(claim, folder, log, should_stop)
            try:
                return self._carry_out(build)
            except StoppedError as error:
                return build.watch.result_of(error.stop)
        except CaurError as error:
            return failed(_kind_of(error), _worded(error))
        except OSError as error:
            return failed(FailureClass.INFRASTRUCTURE, f"on the worker: {error}")
        except Exception as error:  # noqa: BLE001 - it is to cost this job only
            _log.exception("%s: a bug in caur-ci", claim.identity)
            kind = type(error).__name__
            return failed(FailureClass.INFRASTRUCTURE, f"a bug in caur-ci: {kind}: {error}"[:500])

    def tidy(self) -> None:
        """Remove kept sources that nobody needs any more.

        Raises TemporaryError when a source repository is out of reach, and OSError.
        """
        self.downloads.sweep()
        for repository in self.settings.source_repos.values():
            kept = self.downloads.packages(repository.name)
            if kept:
                gone = set(kept) - self.sources.names_now(repository).keys()
                self.downloads.forget(repository.name, gone)

    def _begin(
        self,
        claim: Claim,
        folder: BuildFolder,
        log: BuildLog,
        should_stop: Callable[[], Stop | None],
    ) -> _Build:
        """Export the package and read what it says about its build, before anything is run."""
        started, now = time.time(), time.monotonic()
        spec, settings = claim.spec, self.settings
        repository = self._repository(spec)
        source = self.sources.export(repository, spec.commit, spec.pkgbase, folder.source)
        files = self.sources.read_files(repository, spec.commit, [_REPOSITORY_CONFIG])
        plan = read_plan(folder.source, spec.pkgbase, files.get(_REPOSITORY_CONFIG, b""))
        if plan.interfere.prepare is not None and not self.executor.has_root:
            raise InterfereError(
                f"{spec.pkgbase} has the interfere script prepare, which is run as root: that "
                f"needs the container executor, this worker has the executor {self.executor.name}",
                hint="Start the worker with BUILDER_EXECUTOR=container.",
            )
        watch = BuildWatch(
            log=log,
            should_stop=should_stop,
            folder=folder.root,
            began=now,
            limit=settings.timeout * plan.config.extra_timeout,
            stall=settings.stall,
            min_free=settings.min_free,
        )
        if watch.disk_is_full():
            raise GuestError(f"less than {settings.min_free} MiB are free on this worker")
        return _Build(
            claim=claim,
            folder=folder,
            log=log,
            repository=repository,
            source=source,
            plan=plan,
            started=started,
            watch=watch,
        )

    def _repository(self, spec: JobSpec) -> SourceRepository:
        repository = self.settings.source_repos.get(spec.source_repo)
        if repository is None:
            known = ", ".join(sorted(self.settings.source_repos)) or "none"
            raise GuestError(
                f"this worker does not know the source repository {spec.source_repo!r} "
                f"(PACKAGE_REPOS has: {known})"
            )
        if spec.arch not in self.architectures:
            known = ", ".join(self.architectures)
            raise GuestError(f"this worker does not build for {spec.arch} (it does for: {known})")
        return repository

    def _carry_out(self, build: _Build) -> BuildResult:
        """Build in a guest, and describe what that has made."""
        with self._kept_sources(build) as kept:
            with self.executor.guest(self._build_spec(build), build.watch) as guest:
                build.log.say(self._origin(build, guest))
                if base_of(build.claim.spec.arch) != machine_architecture():
                    build.log.say(f"emulated: this machine is {machine_architecture()}")
                flow = self._flow(build, guest, kept)
                try:
                    result = self._run(flow, build, guest)
                finally:
                    flow.list_applied()
            if kept is not None and result.stopped is None:
                kept.keep_files(build.plan.sources, build.folder.downloads, build.check)
        return result

    def _origin(self, build: _Build, guest: Guest) -> str:
        """Return what a log says of where a build is from, in the form that diagnosis reads."""
        image = f" in {guest.image}" if guest.image else ""
        url = without_credentials(build.repository.url)
        return f"the package is from {url}, built by the executor {self.executor.name}{image}"

    def _run(self, flow: BuildRun, build: _Build, guest: Guest) -> BuildResult:
        files: tuple[DeliveredFile, ...] = ()
        try:
            result = flow.run()
            if result.outcome is Outcome.SUCCESS:
                files = _described(build)
        except StoppedError as error:
            result = build.watch.result_of(error.stop)
        except InputError as error:
            result = failed(_kind_of(error), _worded(error))
        flow.afterwards(result, [file.name for file in files])
        usage = guest.usage()
        result = replace(result, notes=BuildNotes(usage=usage, tree=build.source.tree))
        if result.outcome is not Outcome.SUCCESS:
            return result
        return replace(result, manifest=self._manifest(build, files, guest, usage, flow.applied))

    def _flow(self, build: _Build, guest: Guest, kept: KeptSources | None) -> BuildRun:
        plan, settings = build.plan, self.settings
        return BuildRun(
            plan=plan,
            arch=build.claim.spec.arch,
            guest=guest,
            steps=StepCommands(
                pkgbase=plan.pkgbase,
                paths=guest.paths,
                cuts_network=guest.cuts_network,
                checks_dependencies=self.executor.installs_dependencies,
                checks_signatures=plan.checks_signatures,
            ),
            watch=build.watch,
            log=build.log,
            folder=build.folder,
            kept=kept,
            skip_code=settings.skip_code,
            rebuilds=self.rebuilds,
        )

    def _build_spec(self, build: _Build) -> BuildSpec:
        claim, spec, settings = build.claim, build.claim.spec, self.settings
        target = settings.target_repos.get(spec.target_repo) or TargetRepository(
            name=spec.target_repo
        )
        staging = target.staging(claim.group, spec.arch) if claim.group else None
        if claim.needs_staged and staging is None:
            build.log.say(
                f"what is staged in the group {claim.group} cannot be used: the extra_repos "
                f"of {target.name} in PACKAGE_TARGET_REPOS do not tell where {target.name} is"
            )
        flavour = settings.flavours.get(spec.arch, Flavour())
        return BuildSpec(
            folder=build.folder,
            user=self.user,
            pkgbase=spec.pkgbase,
            arch=spec.arch,
            target=target,
            staging=staging,
            needs_staged=claim.needs_staged,
            arch_mirror=spec.arch_mirror,
            makeflags=flavour.makeflags or settings.makeflags,
            packager=settings.packager,
            makepkg_conf=makepkg_settings(spec.arch, flavour),
            image=image_of(spec.arch, settings),
            shared_with=spec.shared_with,
            environment={
                "BUILDER_HOSTNAME": settings.name,
                "BUILDER_TIMEOUT": str(build.watch.limit),
                "CI_CODE_SKIP": str(settings.skip_code),
                "PACKAGE_REPO_ID": spec.source_repo,
                "PACKAGE_REPO_URL": without_credentials(build.repository.url),
                "PACMAN_REPO": spec.target_repo,
            },
        )

    @contextmanager
    def _kept_sources(self, build: _Build) -> Iterator[KeptSources | None]:
        """Provide the package's kept sources, with copies of them for this build; None for none."""
        if not build.plan.config.cache_sources:
            yield None
            return
        spec = build.claim.spec
        with self.downloads.of_package(spec.source_repo, spec.pkgbase) as kept:
            if kept is None:
                build.log.say("another build has the kept sources: they are downloaded once more")
            else:
                build.folder.downloads.mkdir()
                kept.provide(build.plan.sources, build.folder.downloads)
            yield kept

    def _manifest(
        self,
        build: _Build,
        files: tuple[DeliveredFile, ...],
        guest: Guest,
        usage: Usage,
        applied: Sequence[str],
    ) -> Manifest:
        claim, spec = build.claim, build.claim.spec
        return Manifest(
            job=claim.job_id,
            token=claim.token,
            attempt=claim.attempt,
            pkgbase=spec.pkgbase,
            target_repo=spec.target_repo,
            source_repo=spec.source_repo,
            arch=spec.arch,
            commit=spec.commit,
            tree=build.source.tree,
            pkgbuild_sha256=build.plan.pkgbuild_sha256,
            worker=self.worker_id,
            started=build.started,
            ended=time.time(),
            files=files,
            executor=self.executor.name,
            image=guest.image,
            peak_memory=usage.peak_memory,
            cpu_seconds=usage.cpu_seconds,
            applied=tuple(applied),
        )


def _described(build: _Build) -> tuple[DeliveredFile, ...]:
    """Return the packages of a build that went well.

    Raises InputError where they are none, StoppedError when the time of the build is over.
    """
    allowed = build.plan.config.allow_prohibited
    files = sanitize_and_describe_packages(
        build.folder.output,
        allow_prohibited=allowed,
        say=build.log.say,
        allowance=Allowance(check=build.check),
    )
    if not files:
        raise BadPackageError("makepkg ended well but made no package")
    return files


def _worded(error: CaurError) -> str:
    return f"{error.message} ({error.hint})" if error.hint else error.message


def _kind_of(error: CaurError) -> FailureClass:
    """Return what kind of failure an error stands for."""
    for known, kind in (
        (InterfereError, FailureClass.INTERFERE),
        (BadPackageError, FailureClass.PACKAGING),
        (NotAFileError, FailureClass.PACKAGING),
        (SourceMissingError, FailureClass.SOURCE_MISSING),
        (UnsafeTreeError, FailureClass.CONFIGURATION),
        (InputError, FailureClass.CONFIGURATION),
    ):
        if isinstance(error, known):
            return kind
    return FailureClass.INFRASTRUCTURE
