"""One build in one guest, step by step."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from caur_ci.interfere import InterfereError, bumped_pkgrel
from caur_ci.srcinfo import parse_fields
from scheduler.files import open_regular_file, remove_tree
from scheduler.job import FailureClass, Outcome
from scheduler.worker.executors.protocol import StepResult
from scheduler.worker.executors.step_process import CollectingWatch
from scheduler.worker.failures import Phase, classify
from scheduler.worker.outcome import BuildResult, failed, from_exit_code
from scheduler.worker.steps import PACKAGE_LIST, SRCINFO

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from caur_ci.srcinfo import SrcinfoFields
    from scheduler.worker.executors.protocol import BuildFolder, Guest, Step
    from scheduler.worker.joblog import BuildLog
    from scheduler.worker.plan import BuildPlan
    from scheduler.worker.srcdest_cache import KeptSources
    from scheduler.worker.steps import StepCommands
    from scheduler.worker.watch import BuildWatch

_PACKAGE_MARK = ".pkg.tar"
_MAX_REPORT = 4 * 1024 * 1024
_SHOWN_REPORT = 64 * 1024
# How long a script that runs after the build, or namcap, may take, in seconds.
_AFTERWARDS = 300
_NETWORK_SOUGHT = re.compile(
    r"Could not resolve host|Temporary failure in name resolution|Network is unreachable"
)
# A source that makepkg was to get from the machine itself, as makepkg or git print it.
_LOCAL_SOURCE = re.compile(r"(?:file://|^fatal: '?)(/[^\s'\"?#]+)", re.MULTILINE)


@dataclass(kw_only=True)
class BuildRun:
    """The steps of one build and what is learned on the way.

    `kept` are the package's sources of earlier builds, if it wants that. `applied` is for people.
    """

    plan: BuildPlan
    arch: str
    guest: Guest
    steps: StepCommands
    watch: BuildWatch
    log: BuildLog
    folder: BuildFolder
    kept: KeptSources | None
    skip_code: int
    rebuilds: bool = False
    applied: list[str] = field(default_factory=list)
    fields: SrcinfoFields | None = None
    published: frozenset[str] = frozenset()

    def run(self) -> BuildResult:
        """Build, and return how that ended; a success has no manifest yet.

        Raises InputError for a package that cannot be built, CaurError for a guest that fails.
        """
        for part in (
            self._list_published,
            self._stage,
            self._mirror,
            self._prepare,
            self._apply,
            self._read_pkgbuild,
            self._bump,
            self._compare_srcinfo,
            self._install,
            self._fetch,
            self._look_whether_published,
            self._build,
        ):
            result = part()
            if result is not None:
                return result
        return BuildResult(Outcome.SUCCESS)

    def afterwards(self, result: BuildResult, files: Sequence[str]) -> None:
        """Run what the package wants to be run after its build, and namcap.

        None of it changes how the build ended. `files` are the names of the packages.
        """
        if result.outcome is Outcome.SUCCESS:
            self._report_namcap()
            self._run_hook("on-success.sh", self.plan.interfere.on_success, result, files)
        elif result.outcome in {Outcome.FAILED, Outcome.TIMED_OUT}:
            self._run_hook("on-failure.sh", self.plan.interfere.on_failure, result, files)

    def list_applied(self) -> None:
        """Write into the log what was applied to the package."""
        self.log.say(f"interfere: {', '.join(self.applied) or 'nothing was applied'}")

    def _list_published(self) -> BuildResult | None:
        """Ask what the repository has while nothing of the package has been run yet."""
        self.watch.new_step()
        self.published = self.guest.published(self.watch)
        return None

    def _stage(self) -> BuildResult | None:
        result = self._do(Phase.STAGE, self.steps.stage())
        if result is not None:
            return result
        if self.plan.has_native:
            self.applied.append("-march=native taken out")
        if self.plan.needs and (result := self._need(self.plan.needs)):
            return result
        if self.plan.has_keys:
            return self._do(Phase.KEYS, self.steps.keys())
        if not self.plan.checks_signatures:
            self.log.say("PGP signatures of sources are not checked: the package ships no keys/pgp")
        return None

    def _mirror(self) -> BuildResult | None:
        """Make mirrors of git repositories and keep them, before the package can change them."""
        repositories = self.plan.sources.git if self.kept else ()
        for repository in repositories:
            self.watch.new_step()
            ending = self.guest.run(self.steps.mirror(repository), self.watch)
            if ending.stopped is not None:
                return self.watch.result_of(ending.stopped)
            if ending.code == 0 and self.kept is not None:
                self.kept.keep_mirror(repository, self.folder.downloads)
            else:
                # makepkg tells what is wrong with it.
                remove_tree(self.folder.downloads / repository.name)
                self.log.say(f"the git repository {repository.name} cannot be kept")
        return None

    def _need(self, packages: Sequence[str]) -> BuildResult | None:
        self.applied.append(f"{' '.join(packages)} installed")
        return self._judged(Phase.DEPENDENCIES, lambda: self.guest.install(packages, self.watch))

    def _prepare(self) -> BuildResult | None:
        if self.plan.interfere.prepare is None:
            return None
        self.applied.append("prepare")
        return self._do(Phase.PREPARE, self.steps.prepare())

    def _apply(self) -> BuildResult | None:
        interfere = self.plan.interfere
        files = {
            "interfere.patch": interfere.patch,
            "PKGBUILD.prepend": interfere.prepend,
            "PKGBUILD.append": interfere.append,
        }
        there = [name for name, content in files.items() if content is not None]
        if not there:
            return None
        result = self._do(Phase.APPLY, self.steps.apply())
        if result is not None:
            if result.failure is FailureClass.PATCH:
                return failed(FailureClass.PATCH, _refused_hunks(self.watch.tail))
            return result
        self.applied += there
        return None

    def _read_pkgbuild(self) -> BuildResult | None:
        result = self._do(Phase.METADATA, self.steps.srcinfo())
        if result is None:
            origin = f"the PKGBUILD of {self.plan.pkgbase}"
            # What the PKGBUILD itself prints comes before it.
            _, head, rest = self._report(SRCINFO).rpartition(b"pkgbase = ")
            self.fields = parse_fields(head + rest, origin=origin, arch=self.arch)
        return result

    def _bump(self) -> BuildResult | None:
        fields = self._known_fields()
        pkgrel = bumped_pkgrel(self.plan.config, fields.version)
        if pkgrel == fields.pkgrel:
            return None
        result = self._do(Phase.APPLY, self.steps.bump(pkgrel)) or self._read_pkgbuild()
        if result is not None:
            return result
        if self._known_fields().pkgrel != pkgrel:
            raise InterfereError(
                f"the pkgrel of {self.plan.pkgbase} cannot be bumped to {pkgrel}: "
                f"its PKGBUILD goes on saying {self._known_fields().pkgrel}",
                hint="Write `pkgrel=` with a plain number at the start of a line.",
            )
        self.applied.append(f"pkgrel {fields.pkgrel} bumped to {pkgrel}")
        return None

    def _compare_srcinfo(self) -> BuildResult | None:
        """Find out what the database runner would refuse, before it is built."""
        fields = self._known_fields()
        for pkgname in fields.pkgnames:
            problem = self.plan.expectation.problem_with(
                pkgbase=fields.pkgbase,
                pkgname=pkgname,
                version=fields.version,
                arch=self.arch,
                job_arch=self.arch,
            )
            if problem:
                reason = (
                    f"the .SRCINFO of {self.plan.pkgbase} is out of step with its PKGBUILD, and "
                    f"what is built would not be published: {pkgname} {problem}; "
                    f"`caur-ci srcinfo --write {self.plan.pkgbase}` writes it anew"
                )
                return failed(FailureClass.CONFIGURATION, reason)
        return None

    def _install(self) -> BuildResult | None:
        fields = self._known_fields()
        wanted = dict.fromkeys((*fields.depends, *fields.makedepends, *fields.checkdepends))
        result = self._judged(
            Phase.DEPENDENCIES, lambda: self.guest.install(tuple(wanted), self.watch)
        )
        if result is None and self.steps.checks_dependencies:
            self._list_installed()
        return result

    def _list_installed(self) -> None:
        """Write into the log what the package is built with, in the form that diagnosis reads."""
        collected = CollectingWatch(self.watch)
        if self.guest.run(self.steps.installed(), collected) == StepResult(0):
            self.log.say(f"installed packages: {', '.join(collected.lines())}")

    def _fetch(self) -> BuildResult | None:
        return self._do(Phase.FETCH, self.steps.fetch())

    def _look_whether_published(self) -> BuildResult | None:
        if self.rebuilds or not self.published:
            return None
        result = self._do(Phase.METADATA, self.steps.package_list())
        if result is not None:
            return result
        lines = self._report(PACKAGE_LIST).decode(errors="replace").splitlines()
        names = {line.rpartition("/")[2] for line in lines if _PACKAGE_MARK in line}
        # makepkg names one with debug symbols before it knows whether there are any.
        debug = f"{self._known_fields().pkgbase}-debug-"
        wanted = {name for name in names if not name.startswith(debug)}
        if wanted and wanted <= self.published:
            reason = "the repository has it already: " + ", ".join(sorted(wanted))
            return BuildResult(Outcome.ALREADY_BUILT, reason)
        return None

    def _build(self) -> BuildResult | None:
        if not self.plan.network:
            self.log.say("from here on without network, as BUILDER_NETWORK says")
        result = self._do(Phase.BUILD, self.steps.build(network=self.plan.network))
        no_network = not self.plan.network and _NETWORK_SOUGHT.search(self.watch.tail)
        if result is not None and result.failure and no_network:
            reason = f"{result.reason}; it sought the network, which BUILDER_NETWORK denies it"
            return failed(result.failure, reason)
        return result

    def _do(self, phase: Phase, step: Step) -> BuildResult | None:
        return self._judged(phase, lambda: self.guest.run(step, self.watch))

    def _judged(self, phase: Phase, act: Callable[[], StepResult]) -> BuildResult | None:
        """Return how the build ended with this step, None if it goes on."""
        self.watch.new_step()
        ending = act()
        if ending.stopped is not None:
            return self.watch.result_of(ending.stopped)
        if ending.code == 0:
            return None
        return from_exit_code(ending.code, skip_code=self.skip_code) or self._failure(phase, ending)

    def _failure(self, phase: Phase, ending: StepResult) -> BuildResult:
        failure = classify(phase, ending, self.watch.tail)
        code = f"exit code {ending.code}"
        if ending.code > 128:
            code = f"ended by signal {ending.code - 128}"
        what = f"{phase.value}: {failure.line}" if failure.line else phase.value
        local = _LOCAL_SOURCE.search(self.watch.tail)
        hint = ""
        if failure.kind is FailureClass.SOURCE_MISSING and local is not None:
            hint = (
                f"; {local[1]} is on the worker itself, of which builds see no more than "
                "BUILDER_READABLE names"
            )
        return failed(failure.kind, f"{what} ({code}){hint}")

    def _known_fields(self) -> SrcinfoFields:
        assert self.fields is not None  # noqa: S101 - the PKGBUILD was read before
        return self.fields

    def _report(self, name: str) -> bytes:
        try:
            with open_regular_file(self.folder.reports / name) as stream:
                content = stream.read(_MAX_REPORT + 1)
        except OSError as error:  # the PKGBUILD has seen to that
            raise InputError(f"{name} of {self.plan.pkgbase} cannot be read: {error}") from error
        if len(content) > _MAX_REPORT:
            raise InputError(f"{name} of {self.plan.pkgbase} is larger than {_MAX_REPORT} bytes")
        return content

    def _report_namcap(self) -> None:
        watch = self.watch.with_limit(_AFTERWARDS)
        self.guest.run(self.steps.namcap(), watch)
        name = f"{self.plan.pkgbase}.namcap"
        try:
            with open_regular_file(self.folder.reports / name) as stream:
                text = stream.read(_SHOWN_REPORT).decode(errors="replace")
        except (OSError, InputError):
            return
        self.log.say(f"namcap says:\n{text.rstrip()}" if text.strip() else "namcap found nothing")

    def _run_hook(
        self, name: str, content: bytes | None, result: BuildResult, files: Sequence[str]
    ) -> None:
        if content is None:
            return
        self.log.say(f"running {name}")
        watch = self.watch.with_limit(_AFTERWARDS)
        environment = {
            "CAUR_OUTCOME": result.outcome.name,
            "CAUR_FAILURE": result.failure or "",
            "CAUR_REASON": result.reason.replace("\0", "?"),
            "CAUR_PKGBASE": self.plan.pkgbase,
            "CAUR_PACKAGES": "\n".join(files),
        }
        ending = self.guest.run(self.steps.hook(f".CI/{name}", environment), watch)
        if ending.stopped is not None:
            self.log.say(f"{name} was ended: {ending.stopped.value}")
        elif ending.code:
            self.log.say(f"{name} failed with exit code {ending.code}; the build does not mind")
        else:
            self.applied.append(name)


def _refused_hunks(tail: str) -> str:
    """Return which file and hunks patch could not do, by its own words."""
    problems: list[str] = []
    file = ""
    for line in tail.splitlines():
        if match := re.match(r"(?:checking|patching) file (.*)", line):
            file = match[1]
        elif re.search(r"^Hunk #\d+ FAILED|[Rr]everse|can't find file|\*\*\*\*", line):
            problems.append(f"{file}: {line.strip()}" if file else line.strip())
    return "interfere.patch does not apply: " + "; ".join(problems or ["see the log"])
