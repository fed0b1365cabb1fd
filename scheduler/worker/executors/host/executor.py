"""Builds with this machine's makepkg, as a user without rights, in bubblewrap where it works."""

from __future__ import annotations

import logging
import shutil
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from caur_ci.errors import ConfigError
from caur_ci.process import missing_tool
from caur_ci.relations import Relation
from scheduler.worker.executors.folders import (
    environment_of,
    inner_paths,
    make_folders,
    outer_paths,
    scripts_of,
    target_databases,
    target_servers,
    temporary_of,
)
from scheduler.worker.executors.guestsetup import install_missing
from scheduler.worker.executors.host import supervisor
from scheduler.worker.executors.host.installer import Installer
from scheduler.worker.executors.host.sampling import Sampler, oom_kills
from scheduler.worker.executors.host.sandbox import find_sandbox
from scheduler.worker.executors.protocol import GuestError, Step, StepResult
from scheduler.worker.executors.step_process import CollectingWatch, follow, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import PurePosixPath

    from scheduler.job import Usage
    from scheduler.worker.executors.host.sandbox import Sandbox
    from scheduler.worker.executors.protocol import BuildSpec, Stop, Watch
    from scheduler.worker.users import BuildUser

_log = logging.getLogger(__name__)

DEFAULT_GRACE = 5.0
# Missing ones are told at once, not by the first build that fails.
_TOOLS = ("makepkg", "git", "bsdtar", "fakeroot", "setpriv", "curl", "file")
_STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
# Below the home folder of the build: where what is staged is unpacked; and how a script says that
# there is nothing.
_STAGED = ".staged"
_NOTHING_STAGED = 44
# What the supervisor takes for no change.
_SAME_USER = ("-1", "-1")
_PACMAN_DATABASE = Path("/var/lib/pacman/local")


class HostExecutor:
    """Runs makepkg on this machine.

    `hidden` and `readable` are for the sandbox: what of the system builds must not see, and what
    beside the system they may read, such as local Git repositories that are sources. `grace` is
    the number of seconds between asking a step to end and ending it. With `installs` root has
    pacman install what packages need, on this machine itself.
    """

    name = "host"
    has_root = False

    def __init__(
        self,
        *,
        hidden: Sequence[Path] = (),
        readable: Sequence[Path] = (),
        grace: float = DEFAULT_GRACE,
        sandboxed: bool = True,
        installs: bool = False,
    ) -> None:
        """Raise ConfigError where nothing can be installed although it has to be."""
        self._hidden = hidden
        self._readable = readable
        self._grace = grace
        self._sandboxed = sandboxed
        self._sandboxes: dict[int, Sandbox | None] = {}
        self._installer = Installer() if installs else None
        # Elsewhere than on Arch, pacman knows nothing of what is installed.
        self.installs_dependencies = installs or (
            _PACMAN_DATABASE.is_dir() and any(path.is_dir() for path in _PACMAN_DATABASE.iterdir())
        )

    def check(self) -> None:
        """Raise ProcessError for a missing tool."""
        for tool in _TOOLS:
            if shutil.which(tool) is None:
                raise missing_tool(tool)

    def check_ready(self, watch: Watch) -> None:
        """See that the tools are still there; see `Executor.check_ready`."""
        del watch  # it takes no time
        self.check()

    @contextmanager
    def guest(self, build_spec: BuildSpec, watch: Watch) -> Iterator[HostGuest]:
        """Provide the place of one build; see `Executor.guest`."""
        makepkg = shutil.which("makepkg")
        if makepkg is None:
            raise missing_tool("makepkg")
        try:
            make_folders(build_spec, makepkg_conf=_repairs(Path(makepkg)))
        except OSError as error:
            raise GuestError(f"the folders of a build cannot be made: {error}") from error
        guest = HostGuest(
            build_spec,
            makepkg=Path(makepkg),
            sandbox=self._sandbox_of(build_spec.user),
            grace=self._grace,
            checks=self.installs_dependencies,
            installs=self._installer is not None,
        )
        if self._installer is not None:
            guest.tell(self._installer.set_up(build_spec, guest.run_as_root, watch))
        yield guest

    def _sandbox_of(self, user: BuildUser) -> Sandbox | None:
        if user.uid not in self._sandboxes:
            found = find_sandbox(user, hidden=self._hidden, readable=self._readable)
            self._sandboxes[user.uid] = found if self._sandboxed else None
            if self._sandboxes[user.uid] is None:
                _log.warning("%s", _without_sandbox(user, self._hidden))
        return self._sandboxes[user.uid]


class HostGuest:
    """The folders of one build, and steps that run one after another."""

    image = ""

    def __init__(
        self,
        build_spec: BuildSpec,
        *,
        makepkg: Path,
        sandbox: Sandbox | None,
        grace: float,
        checks: bool,
        installs: bool,
    ) -> None:
        self.paths = outer_paths(build_spec) if sandbox is None else inner_paths(build_spec.pkgbase)
        self.cuts_network = sandbox is not None
        self._build_spec = build_spec
        self._makepkg = makepkg
        self._sandbox = sandbox
        self._grace = grace
        self._checks = checks
        self._installs = installs
        self._staged: PurePosixPath | None = None
        self._sampler = Sampler()

    def run(self, step: Step, watch: Watch) -> StepResult:
        """Run a step; see `Guest.run`."""
        if step.as_root:
            raise ConfigError(
                "the host executor runs nothing as root",
                hint="Build this package with the container executor.",
            )
        if not (step.network or self.cuts_network):
            raise ConfigError(
                "a build without network needs bubblewrap or the container executor",
                hint="Install bubblewrap on the worker, and allow user namespaces there; or set "
                "BUILDER_NETWORK=true in .ci/config, where builds may have the network.",
            )
        user = self._build_spec.user
        identity = [str(user.uid), str(user.gid)] if user.is_other else _SAME_USER
        directory = "/" if self._sandbox else str(step.directory)
        return self._supervise(
            identity, self._command(step), directory, self._environment(step), watch
        )

    def run_as_root(self, command: Sequence[str], watch: Watch) -> StepResult:
        """Run a command of the worker's own outside of the sandbox, as the worker's user."""
        environment = {
            "PATH": _STANDARD_PATH,
            "HOME": "/root",
            "LC_ALL": "C.UTF-8",
            "TERM": "dumb",
        }
        return self._supervise(_SAME_USER, command, "/", environment, watch)

    def tell(self, environment: Mapping[str, str]) -> None:
        """Have all steps see `environment`, where the build says nothing else."""
        told = {**environment, **self._build_spec.environment}
        self._build_spec = replace(self._build_spec, environment=told)

    def install(self, relations: Sequence[str], watch: Watch) -> StepResult:
        """Tell whether pacman knows `relations` as installed, or see to it; see `Guest.install`.

        Where nothing is installed, what is staged is unpacked beside the system, and compilers are
        told to look there first.
        """
        if self._installs:
            return install_missing(
                relations,
                watch,
                look=lambda command, collected: self.run(self._own(command), collected),
                install=self.run_as_root,
            )
        if (ending := self._unpack_staged(watch)).code != 0:
            return ending
        if not self._checks:
            if relations:
                say(watch, "dependencies are neither installed nor checked on this machine")
            return StepResult(0)
        for relation in relations:
            Relation.parse(relation)
        if not relations:
            return StepResult(0)
        say(watch, "these dependencies are not installed on this machine, if any are listed:")
        command = ["pacman", "--deptest", "--", *relations]
        return self.run(self._own(command), watch)

    def published(self, watch: Watch) -> frozenset[str]:
        """Return the file names that the target's database has; see `Guest.published`."""
        build_spec = self._build_spec
        architectures = (build_spec.arch, *build_spec.shared_with)
        for server in target_servers(build_spec):
            collected = CollectingWatch(watch)
            script = self.paths.scripts / "published.sh"
            databases = target_databases(build_spec, server, architectures)
            command = ["bash", str(script), *databases]
            ending = self.run(self._own(command), collected)
            if ending == StepResult(0):
                return frozenset(collected.lines())
        return frozenset()

    def _unpack_staged(self, watch: Watch) -> StepResult:
        staging = self._build_spec.staging
        if staging is None or self._staged is not None:
            return StepResult(0)
        folder = self.paths.home / _STAGED
        command = ["bash", str(self.paths.scripts / "staged.sh"), str(folder), staging.name]
        command += map(self._within_reach, staging.servers)
        ending = self.run(self._own(command), watch)
        if ending.stopped is not None or ending.code == 0:
            self._staged = folder if ending.code == 0 else None
            return ending
        if ending.code == _NOTHING_STAGED and not self._build_spec.needs_staged:
            return StepResult(0)
        raise GuestError(f"what is staged in {staging.name} is not to be had")

    def _within_reach(self, server: str) -> str:
        """Return where steps find a server of this machine, which their user may not get to."""
        source = Path(unquote(server.removeprefix("file://")))
        if not (server.startswith("file:///") and source.is_dir()):
            return server
        try:
            copy = scripts_of(self._build_spec.folder) / f"{_STAGED}-files"
            copy.mkdir(exist_ok=True)
            copy.chmod(0o755)
            for path in source.iterdir():
                if path.is_file():
                    shutil.copyfile(path, copy / path.name)
                    (copy / path.name).chmod(0o644)
        except OSError as error:
            raise GuestError(f"what is staged in {source} cannot be read: {error}") from error
        return f"file://{self.paths.scripts / copy.name}"

    def usage(self) -> Usage:
        """Return what all steps together have used."""
        return self._sampler.total()

    def _own(self, command: Sequence[str]) -> Step:
        return Step(command=command, directory=self.paths.scripts, own=True)

    def _supervise(
        self,
        identity: Sequence[str],
        command: Sequence[str],
        directory: str,
        environment: Mapping[str, str],
        watch: Watch,
    ) -> StepResult:
        kills = oom_kills()
        try:
            code, stopped = self._follow(identity, command, directory, environment, watch)
        finally:
            self._build_spec.user.end_processes()
        return StepResult(code, stopped, out_of_memory=code != 0 and oom_kills() > kills)

    def _follow(
        self,
        identity: Sequence[str],
        command: Sequence[str],
        directory: str,
        environment: Mapping[str, str],
        watch: Watch,
    ) -> tuple[int, Stop | None]:
        # Isolated, so that nothing of the build's environment reaches this Python.
        supervised = [sys.executable, "-I", supervisor.__file__, *identity, str(self._grace)]
        control, theirs = socket.socketpair()
        with control, theirs:
            try:
                process = subprocess.Popen(
                    [*supervised, *command],
                    cwd=directory,
                    env=dict(environment),
                    stdin=theirs.fileno(),
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise GuestError(f"a step of the build cannot be started: {error}") from error
            theirs.close()
            with process:
                stopped = follow(
                    process,
                    watch,
                    usage=lambda: self._sampler.look(process.pid),
                    # The supervisor sees it, and ends the step.
                    end=lambda: control.shutdown(socket.SHUT_WR),
                )
                self._sampler.ended(_read_report(control))
        code = process.returncode
        return (code if code >= 0 else 128 - code), stopped

    def _command(self, step: Step) -> list[str]:
        if self._staged is not None and not step.own:
            step = _with_staged(step, self._staged, self._environment(step)["PATH"])
        if self._sandbox is None:
            return list(step.command)
        return self._sandbox.command(step, self._build_spec, self.paths, makepkg=self._makepkg)

    def _environment(self, step: Step) -> dict[str, str]:
        path = _STANDARD_PATH
        if (own := str(self._makepkg.parent)) not in path.split(":"):
            path = f"{own}:{path}"
        outside = temporary_of(self._build_spec.folder)
        tmp = str(outside) if self._sandbox is None else "/tmp"  # noqa: S108 - of the sandbox
        return environment_of(step, self._build_spec, self.paths, path=path, tmp=tmp)


def _with_staged(step: Step, staged: PurePosixPath, path: str) -> Step:
    """Return the step with tools that look at what is staged before they look elsewhere."""
    usr = staged / "usr"
    settings = {
        "CAUR_STAGED": staged,
        "PATH": f"{usr / 'bin'}:{path}",
        "CPATH": usr / "include",
        "LIBRARY_PATH": usr / "lib",
        "LD_LIBRARY_PATH": usr / "lib",
        "PKG_CONFIG_PATH": usr / "lib" / "pkgconfig",
    }
    # Not for the supervisor, which has other rights: a build can write there.
    return replace(
        step, command=["env", *(f"{name}={it}" for name, it in settings.items()), *step.command]
    )


def _read_report(control: socket.socket) -> supervisor.UsageReport:
    data = b""
    with suppress(OSError):
        while part := control.recv(4096):
            data += part
    return supervisor.UsageReport.parse(data)


def _without_sandbox(user: BuildUser, secrets: Iterable[Path]) -> str:
    text = "bubblewrap is missing or does not work here: builds see the whole file system"
    if user.is_other:
        seen = [str(path) for path in secrets if user.can_read(path)]
        return f"{text}, with {' and '.join(seen)}: only root is to read that" if seen else text
    return f"{text}, and run as this worker's own user, which may read its keys"


def _repairs(makepkg: Path) -> str:
    """Return what makes up for a defect of this makepkg, in the language of makepkg.conf.

    Debian 13 ships one that clones no Git source: its option --mirror has a dash too many.
    """
    clones = makepkg.resolve().parent.parent / "share" / "makepkg" / "source" / "git.sh"
    if clones.is_file() and b" ---mirror " in clones.read_bytes():
        return 'git() { command git "${@/#---mirror/--mirror}"; }\n'
    return ""
