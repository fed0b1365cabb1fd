"""From a job to package files: fetch, build, collect."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, InputError
from scheduler.build.executor import BuildOrder, Stop
from scheduler.build.makepkg import machine_builds
from scheduler.build.unsupported import read_config, unsupported
from scheduler.job import Outcome
from scheduler.landing import Manifest, describe_file
from scheduler.source.cache import SourceMissingError
from scheduler.source.export import UnsafeTreeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scheduler.build.executor import BuildFolder, Ending, Executor
    from scheduler.build.joblog import JobLog
    from scheduler.build.users import BuildUser
    from scheduler.queue import Claim
    from scheduler.settings import WorkerSettings
    from scheduler.source.cache import SourceCache, SourceFolder

_ALREADY_BUILT_CODE = 13
_TIMED_OUT_CODE = 124
_PACKAGE_MARK = ".pkg.tar"
# What makepkg's exit codes mean, as far as they tell more than that it failed.
_MEANINGS = {
    4: "a function of the PKGBUILD failed, or the sources are not to be had",
    5: "package() failed",
    6: "a file that the PKGBUILD names is missing",
    12: "the PKGBUILD cannot be used",
    127: "makepkg cannot be started",
}
_MISSING_TOOLS_CODE = 15


@dataclass(frozen=True, slots=True)
class BuildResult:
    """How a build ended: with an outcome and its reason, or with a manifest of what to deliver.

    `stopped` says that it did not end by itself.
    """

    outcome: Outcome
    reason: str = ""
    manifest: Manifest | None = None
    stopped: Stop | None = None


class JobFailedError(CaurError):
    """The job cannot be built, and trying again will not help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """What is needed to build any job on this worker."""

    settings: WorkerSettings
    worker_id: str
    sources: SourceCache
    executor: Executor
    user: BuildUser

    def build(
        self,
        claim: Claim,
        folder: BuildFolder,
        log: JobLog,
        should_stop: Callable[[], Stop | None],
    ) -> BuildResult:
        """Build the job of `claim` in `folder`. Never raises for what a package does."""
        started = time.time()
        try:
            source = self._export(claim, folder)
            pkgbuild = describe_file(folder.package / "PKGBUILD")
            ending, limit = self._run(claim, folder, log, should_stop)
            result = self._judge(ending, limit)
            if result.outcome is not Outcome.SUCCESS:
                return result
            manifest = self._manifest(claim, source, folder.output, started, log)
            manifest = replace(manifest, pkgbuild_sha256=pkgbuild.sha256)
        except (JobFailedError, SourceMissingError, UnsafeTreeError, InputError) as error:
            return BuildResult(Outcome.FAILED, error.message)
        except CaurError as error:
            return BuildResult(Outcome.SOFTWARE_FAILURE, error.message)
        except OSError as error:
            return BuildResult(Outcome.SOFTWARE_FAILURE, f"on the worker: {error}")
        return BuildResult(Outcome.SUCCESS, manifest=manifest)

    def _export(self, claim: Claim, folder: BuildFolder) -> SourceFolder:
        spec = claim.spec
        repository = self.settings.source_repos.get(spec.source_repo)
        if repository is None:
            known = ", ".join(sorted(self.settings.source_repos)) or "none"
            raise CaurError(
                f"this worker does not know the source repository {spec.source_repo!r} "
                f"(PACKAGE_REPOS has: {known})"
            )
        if not machine_builds(spec.arch):
            raise CaurError(f"this machine cannot build for {spec.arch}")
        return self.sources.export(repository, spec.commit, spec.pkgbase, folder.package)

    def _run(
        self,
        claim: Claim,
        folder: BuildFolder,
        log: JobLog,
        should_stop: Callable[[], Stop | None],
    ) -> tuple[Ending, int]:
        """Run makepkg; return how it ended and how many seconds it was given."""
        spec, settings = claim.spec, self.settings
        config = read_config(folder.package, spec.pkgbase)
        problem = unsupported(folder.package, config)
        if problem:
            raise JobFailedError(f"{spec.pkgbase} {problem}")
        limit = settings.timeout * config.extra_timeout
        deadline = time.monotonic() + limit

        def stop() -> Stop | None:
            log.tick()
            return should_stop() or (Stop.TIMEOUT if time.monotonic() >= deadline else None)

        order = BuildOrder(
            folder=folder,
            user=self.user,
            arch=spec.arch,
            makeflags=settings.makeflags,
            packager=settings.packager,
            environment={
                "BUILDER_HOSTNAME": settings.name,
                "BUILDER_TIMEOUT": str(limit),
                "CI_CODE_SKIP": str(settings.skip_code),
                "PACKAGE_REPO_ID": spec.source_repo,
                "PACMAN_REPO": spec.target_repo,
            },
        )
        return self.executor.build(order, output=log.write, should_stop=stop), limit

    def _judge(self, ending: Ending, limit: int) -> BuildResult:
        if ending.stopped is Stop.TIMEOUT:
            reason = f"it took longer than {limit} s"
            return BuildResult(Outcome.TIMED_OUT, reason, stopped=ending.stopped)
        if ending.stopped is not None:
            return BuildResult(Outcome.CANCELED, ending.stopped.value, stopped=ending.stopped)
        code = ending.code
        if code == self.settings.skip_code:
            return BuildResult(Outcome.SKIPPED, "the package asked to be skipped")
        if code == _MISSING_TOOLS_CODE:
            return BuildResult(Outcome.SOFTWARE_FAILURE, "the worker lacks tools for makepkg")
        known = {
            0: Outcome.SUCCESS,
            _ALREADY_BUILT_CODE: Outcome.ALREADY_BUILT,
            _TIMED_OUT_CODE: Outcome.TIMED_OUT,
        }
        return BuildResult(known.get(code, Outcome.FAILED), _reason_of(code) if code else "")

    def _manifest(
        self, claim: Claim, source: SourceFolder, output: Path, started: float, log: JobLog
    ) -> Manifest:
        spec = claim.spec
        names = sorted(path.name for path in output.iterdir())
        packages = [name for name in names if _PACKAGE_MARK in name]
        for name in names:
            if name not in packages:
                log.say(f"{name!a} is no package and is not delivered")
        if not packages:
            raise JobFailedError("makepkg ended well but made no package")
        return Manifest(
            job=claim.job_id,
            token=claim.token,
            attempt=claim.attempt,
            pkgbase=spec.pkgbase,
            target_repo=spec.target_repo,
            source_repo=spec.source_repo,
            arch=spec.arch,
            commit=spec.commit,
            tree=source.tree,
            pkgbuild_sha256="",
            worker=self.worker_id,
            started=started,
            ended=time.time(),
            files=tuple(describe_file(output / name) for name in packages),
        )


def _reason_of(code: int) -> str:
    if code > 128:
        return f"makepkg was ended by signal {code - 128}"
    meaning = _MEANINGS.get(code)
    return f"makepkg ended with exit code {code}" + (f": {meaning}" if meaning else "")
