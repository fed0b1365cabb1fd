"""How the containers of one build are started: limits, mounts, rights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.worker.executors.container.container import Container
from scheduler.worker.executors.container.engine import OWNER_LABEL
from scheduler.worker.executors.folders import local_servers, scripts_of, temporary_of
from scheduler.worker.executors.protocol import GuestError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from scheduler.settings import ContainerSettings
    from scheduler.worker.executors.container.container_user import ContainerUser
    from scheduler.worker.executors.container.engine import Engine
    from scheduler.worker.executors.protocol import BuildSpec, GuestPaths, Watch

# What pacman needs as root: owners and rights of files, file capabilities, and for the scripts
# of packages other users and a change of the root folder. To end processes of the build.
RIGHTS = (
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETFCAP",
    "SETGID",
    "SETUID",
    "SYS_CHROOT",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Launcher:
    """What all containers of one build have in common. `name` is what their names begin with."""

    engine: Engine
    build_spec: BuildSpec
    paths: GuestPaths
    identity: ContainerUser
    settings: ContainerSettings
    readable: Sequence[Path]
    processes: int
    owner: Path
    name: str

    def start(self, watch: Watch, *, name: str, image: str, network: bool) -> Container:
        """Start a container. Raises GuestError and StoppedError."""
        arguments = [
            "--pull=never",
            "--log-driver=none",
            f"--label={OWNER_LABEL}={self.owner}",
            "--hostname=builder",
            "--user=0:0",
            "--workdir=/",
            *self.identity.options,
            *self._rights(),
            *self._limits(),
            *self._network(network=network),
            *self._mounts(),
            "--entrypoint=bash",
            image,
            str(self.paths.scripts / "init.sh"),
        ]
        folder = self.build_spec.folder.root
        container = Container(
            self.engine, f"{self.name}-{name}", arguments, folder=folder, watch=watch
        )
        self._check_limit(container)
        return container

    def _check_limit(self, container: Container) -> None:
        # podman says no more than a warning where it cannot limit anything. docker may run on
        # another machine, where we cannot look.
        memory = self.settings.memory
        if memory and self.engine.is_podman and not container.holds_memory(memory << 20):
            container.remove()
            raise GuestError(
                f"containers cannot be limited to {memory} MiB of memory here",
                hint="Limits for an ordinary user's containers need control groups of version 2. "
                "Run the worker as root, or unset BUILDER_LIMITS_RAM.",
            )

    def image_name(self, name: str) -> str:
        """Return a name for an image of this build."""
        return f"localhost/{self.name}:{name}"

    @staticmethod
    def _rights() -> list[str]:
        added = [f"--cap-add={right}" for right in RIGHTS]
        return ["--cap-drop=all", *added, "--security-opt=no-new-privileges"]

    def _limits(self) -> list[str]:
        limits = [f"--pids-limit={self.processes}"]
        if self.settings.cpus:
            limits.append(f"--cpus={self.settings.cpus:g}")
        if self.settings.memory:
            # Swap as much as memory in all: that is none.
            size = f"{self.settings.memory}m"
            limits += [f"--memory={size}", f"--memory-swap={size}"]
        return limits

    def _network(self, *, network: bool) -> list[str]:
        if not network:
            return ["--network=none"]
        return [f"--network={self.settings.network}"] if self.settings.network else []

    def _mounts(self) -> list[str]:
        build_spec, folder, paths = self.build_spec, self.build_spec.folder, self.paths
        temporary = temporary_of(folder)
        writable = (
            (folder.home, paths.home),
            (folder.build, paths.build),
            (folder.output, paths.output),
            (folder.downloads, paths.downloads),
            (folder.reports, paths.reports),
            (temporary, "/tmp"),  # noqa: S108 - of the container
            (temporary, "/var/tmp"),  # noqa: S108 - of the container
        )
        read_only = [(folder.source, paths.source), (scripts_of(folder), paths.scripts)]
        seen = (*self.readable, *local_servers(build_spec))
        own = [(path, path) for path in dict.fromkeys(seen) if path.exists()]
        return [
            *(f"--mount=type=bind,src={outer},dst={inner}" for outer, inner in writable),
            *(
                f"--mount=type=bind,src={outer},dst={inner},readonly"
                for outer, inner in (*read_only, *own)
            ),
        ]
