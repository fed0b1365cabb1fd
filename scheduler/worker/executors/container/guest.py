"""The containers of one build: one with network and, when it is needed, one without."""

from __future__ import annotations

from contextlib import suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from caur_ci.errors import ConfigError
from scheduler.job import Usage
from scheduler.worker.executors.folders import environment_of, target_databases, target_servers
from scheduler.worker.executors.guestsetup import install_missing
from scheduler.worker.executors.protocol import GuestError, Step, StepResult, StoppedError
from scheduler.worker.executors.step_process import CollectingWatch, Shown, follow, say

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence

    from scheduler.worker.executors.container.container import Container
    from scheduler.worker.executors.container.launcher import Launcher
    from scheduler.worker.executors.protocol import Stop, Watch

_PATH = (
    "/usr/local/sbin:/usr/local/bin:/usr/bin"
    ":/usr/bin/site_perl:/usr/bin/vendor_perl:/usr/bin/core_perl:/bin:/usr/sbin:/sbin"
)
_ROOT = "0:0"
_ENGINE_FAILED = 125


class ContainerGuest:
    """The place of one build.

    An engine cannot take the network away from a container that runs. So steps without network
    run in a second one, which has the same folders and is made of the first as it was left by the
    last step of root; nothing else than what root does can be seen outside of the folders.
    """

    cuts_network = True

    def __init__(self, launcher: Launcher, *, image: str, watch: Watch) -> None:
        """Start the container with network. Raises GuestError and StoppedError."""
        self.paths = launcher.paths
        self.image = image
        self._launcher = launcher
        self._online = launcher.start(
            watch, name="online", image=launcher.settings.image, network=True
        )
        self._offline: Container | None = None
        self._offline_image = ""
        self._copies = 0
        self._is_copied = False
        self._gone = Usage()

    @property
    def container_names(self) -> list[str]:
        """The names of the containers that there are now, by which the engine knows them."""
        offline = [] if self._offline is None else [self._offline.name]
        return [self._online.name, *offline]

    def set_up(self, watch: Watch) -> None:
        """Prepare the user and pacman. Raises GuestError and StoppedError."""
        script = self.paths.scripts / "setup.sh"
        user = self._launcher.identity.inside.split(":")
        command = ["bash", str(script), *user]
        shown = Shown(watch)
        ending = self.run(_by_root(command), shown)
        if ending.stopped is not None:
            raise StoppedError(ending.stopped)
        if ending.code != 0:
            raise GuestError(
                f"pacman could not be set up in the build container: {shown.last_error()}"
            )

    def run(self, step: Step, watch: Watch) -> StepResult:
        """Run a step; see `Guest.run`."""
        if step.as_root and not step.network:
            raise ConfigError("what root changes in a container without network would be lost")
        container = self._online if step.network else self._without_network(watch)
        kills = container.oom_kills()
        process = container.start(
            self._command(step),
            user=_ROOT if step.as_root else self._launcher.identity.inside,
            directory=step.directory,
        )
        with process:
            stopped = self._follow(process, container, watch)
        self._clean_up(container, watch, stopped, as_root=step.as_root)
        code = process.returncode
        if code == _ENGINE_FAILED and stopped is None:
            raise GuestError("the engine could not run a step of the build; see the log")
        return StepResult(code, stopped, out_of_memory=container.oom_kills() > kills)

    def install(self, relations: Sequence[str], watch: Watch) -> StepResult:
        """Install what is missing of `relations`; see `Guest.install`."""
        return install_missing(
            relations,
            watch,
            # Not as root, whose steps make a new container without network necessary.
            look=lambda command, collected: self.run(self._own(command), collected),
            install=lambda command, shown: self.run(_by_root(list(command)), shown),
        )

    def published(self, watch: Watch) -> frozenset[str]:
        """Return the file names that the target's database has; see `Guest.published`."""
        script = self.paths.scripts / "published.sh"
        build_spec = self._launcher.build_spec
        own = f"file:///var/lib/pacman/sync/{build_spec.target.name}.db"
        servers = target_servers(build_spec)[:1]
        others = [
            url
            for server in servers
            for url in target_databases(build_spec, server, build_spec.shared_with)
        ]
        command = ["bash", str(script), own, *others]
        collected = CollectingWatch(watch)
        ending = self.run(self._own(command), collected)
        if ending != StepResult(0):
            return frozenset()
        return frozenset(collected.lines())

    def usage(self) -> Usage:
        """Return what all steps together have used."""
        total = _both(self._gone, self._online.usage())
        return total if self._offline is None else _both(total, self._offline.usage())

    def close(self) -> None:
        """Remove the containers and what was made of them."""
        self._drop_offline()
        self._online.remove()

    def _follow(
        self, process: subprocess.Popen[bytes], container: Container, watch: Watch
    ) -> Stop | None:
        def end() -> None:
            # Where that fails, the container is removed: the engine's process ends with it.
            with suppress(GuestError):
                container.end_processes(at_once=True)
                return
            container.remove()

        return follow(process, watch, usage=self.usage, end=end)

    def _clean_up(
        self, container: Container, watch: Watch, stopped: Stop | None, *, as_root: bool
    ) -> None:
        try:
            left = container.end_processes(at_once=stopped is not None)
        except GuestError:
            if stopped is None:
                raise
            return  # it had to be removed
        if left and stopped is None:
            say(watch, "processes that the build left behind were ended")
        if as_root:
            self._is_copied = False
            self._give_back(container)

    def _give_back(self, container: Container) -> None:
        """Let the user that builds have what root made in the folders of the build."""
        paths = self.paths
        give = ["-uid", "0", "-exec", "chown", "-h", self._launcher.identity.inside, "{}", "+"]
        command = ["find", str(paths.home), "/tmp", *give]  # noqa: S108 - of the container
        container.run(command, user=_ROOT)

    def _without_network(self, watch: Watch) -> Container:
        if self._offline is not None and self._is_copied:
            return self._offline
        self._drop_offline()
        self._copies += 1
        launcher = self._launcher
        self._offline_image = launcher.image_name(str(self._copies))
        launcher.engine.commit(self._online.name, self._offline_image, owner=launcher.owner)
        self._offline = launcher.start(
            watch, name=f"offline-{self._copies}", image=self._offline_image, network=False
        )
        self._is_copied = True
        return self._offline

    def _drop_offline(self) -> None:
        if self._offline is not None:
            self._gone = _both(self._gone, self._offline.usage())
            self._offline.remove()
            self._offline = None
        if self._offline_image:
            self._launcher.engine.remove_image(self._offline_image)
            self._offline_image = ""

    def _own(self, command: Sequence[str]) -> Step:
        return Step(command=command, directory=self.paths.scripts, own=True)

    def _command(self, step: Step) -> list[str]:
        tmp = "/tmp"  # noqa: S108 - of the container
        environment = environment_of(
            step, self._launcher.build_spec, self.paths, path=_PATH, tmp=tmp
        )
        if step.as_root:
            environment |= {"HOME": "/root", "USER": "root", "LOGNAME": "root"}
        assigned = [f"{name}={value}" for name, value in environment.items()]
        script = self.paths.scripts / "step.sh"
        # Nothing of what the image says about the environment.
        return [
            "/usr/bin/env",
            "--ignore-environment",
            *assigned,
            "bash",
            str(script),
            *step.command,
        ]


def _by_root(command: list[str]) -> Step:
    return Step(command=command, directory=PurePosixPath("/"), as_root=True)


def _both(one: Usage, other: Usage) -> Usage:
    peaks = [usage.peak_memory for usage in (one, other) if usage.peak_memory is not None]
    seconds = [usage.cpu_seconds for usage in (one, other) if usage.cpu_seconds is not None]
    return Usage(
        peak_memory=max(peaks) if peaks else None, cpu_seconds=sum(seconds) if seconds else None
    )
