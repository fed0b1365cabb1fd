"""podman and docker, through their command lines."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from caur_ci.environment import child_environment
from caur_ci.errors import CaurError, ConfigError, ProcessError
from caur_ci.locks import try_lock
from caur_ci.process import missing_tool, run
from scheduler.worker.executors.protocol import GuestError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_log = logging.getLogger(__name__)

ENGINES = ("podman", "docker")
# Whose it is: a lock file that its worker holds for as long as it lives.
OWNER_LABEL = "caur-ci.owner"
# What images call architectures, where that is not what pacman calls them.
_PLATFORMS = {"x86_64": "amd64", "aarch64": "arm64", "armv7h": "arm", "i686": "386"}
_QUICK = 60.0
_COMMIT = 900.0


@dataclass(frozen=True, slots=True)
class Engine:
    """One of `ENGINES`: `program` is what is run, which may be the one by the name of the other."""

    program: str
    is_podman: bool

    @classmethod
    def find(cls, name: str = "") -> Self:
        """Return the engine `name`, or whichever is there. Raises ConfigError, ProcessError."""
        if name and name not in ENGINES:
            raise ConfigError(
                f"CONTAINER_ENGINE={name!r} is not known; allowed are {' and '.join(ENGINES)}"
            )
        for candidate in (name,) if name else ENGINES:
            program = shutil.which(candidate)
            if program is not None:
                version = run([program, "--version"], timeout=_QUICK).stdout
                return cls(program, b"podman" in version.lower())
        if name:
            raise missing_tool(name)
        raise ConfigError(
            "builds are to run in containers, and there is neither podman nor docker",
            hint="Install podman, or set BUILDER_EXECUTOR=host.",
        )

    def check(self) -> None:
        """Raise ConfigError where the engine cannot be used."""
        # docker's client tells its own version even where there is no server.
        try:
            self._ask("ps", "--quiet")
        except ProcessError as error:
            raise ConfigError(
                f"{self.program} cannot be used: {error.message}",
                hint="Start its service, or let this user use it; docs/executors.md tells how.",
            ) from error

    def start(self, arguments: Sequence[str], *, cwd: Path) -> subprocess.Popen[bytes]:
        """Start the engine with pipes to what it runs. Raises GuestError."""
        try:
            return subprocess.Popen(
                [self.program, *arguments],
                # Engines leave notes where they are started: conmon a file `oom`, for example.
                cwd=cwd,
                env=child_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                # Ctrl-C in a terminal is for the worker, which decides what becomes of a build.
                start_new_session=True,
            )
        except OSError as error:
            raise GuestError(f"{self.program} cannot be started: {error}") from error

    def pid_of(self, container: str) -> int:
        """Return the id that the first process of a container has on this machine."""
        return int(self._ask("inspect", "--format", "{{.State.Pid}}", container))

    def has_image(self, image: str) -> bool:
        """Tell whether an image is on this machine."""
        command = ["image", "inspect", "--format", "{{.Id}}", image]
        return self._run(command, allowed=(0, 1, 125)).returncode == 0

    def image_digest(self, image: str) -> str:
        """Return what an image is known by everywhere, or on this machine at least."""
        known = self._ask("image", "inspect", "--format", "{{json .RepoDigests}}", image)
        digests: list[str] | None = json.loads(known)
        if digests:
            return digests[0]
        return f"{image}@{self._ask('image', 'inspect', '--format', '{{.Id}}', image)}"

    def check_architecture(self, image: str, arch: str) -> None:
        """Raise GuestError where an image is for another architecture than `arch`."""
        found = self._ask("image", "inspect", "--format", "{{.Architecture}}", image)
        wanted = _PLATFORMS.get(arch, arch)
        if found != wanted:
            raise GuestError(f"the image {image} is for {found}, and {wanted} is built for")

    def commit(self, container: str, image: str, *, owner: Path) -> None:
        """Make `image` of what has become of a container. Raises GuestError."""
        label = f"LABEL {OWNER_LABEL}={json.dumps(str(owner))}"
        try:
            self._run(["commit", "--change", label, container, image], timeout=_COMMIT)
        except ProcessError as error:
            raise GuestError(f"the build container cannot be kept: {error.message}") from error

    def remove(self, container: str) -> None:
        """Remove a container with all that runs in it; one that is gone is no error."""
        self._remove("rm", "--force", container)

    def remove_image(self, image: str) -> None:
        """Remove an image; one that is gone is no error."""
        self._remove("rmi", "--force", image)

    def sweep(self) -> None:
        """Remove what workers that died have left."""
        containers = self._ask("ps", "--all", "--quiet", "--filter", f"label={OWNER_LABEL}")
        for container in containers.split():
            if self._is_abandoned("container", container):
                _log.info("removing the container %s of a worker that is gone", container)
                self.remove(container)
        images = self._ask("images", "--quiet", "--filter", f"label={OWNER_LABEL}")
        for image in set(images.split()):
            if self._is_abandoned("image", image):
                self.remove_image(image)

    def _is_abandoned(self, kind: str, name: str) -> bool:
        try:
            labels = json.loads(
                self._ask(kind, "inspect", "--format", "{{json .Config.Labels}}", name)
            )
        except ProcessError:
            return False  # gone meanwhile
        return not is_held(Path(labels.get(OWNER_LABEL, "")))

    def _remove(self, *command: str) -> None:
        try:
            self._run(command, allowed=range(256))
        except CaurError as error:
            # The next worker that starts tries again.
            _log.warning("%s", error.message)

    def _ask(self, *arguments: str) -> str:
        return self._run(arguments).stdout.decode(errors="replace").strip()

    def _run(
        self,
        arguments: Sequence[str],
        *,
        timeout: float = _QUICK,
        allowed: Collection[int] = (0,),
    ) -> subprocess.CompletedProcess[bytes]:
        # Where we are may not be there any more, which engines mind.
        return run([self.program, *arguments], cwd=Path("/"), timeout=timeout, allowed=allowed)


def is_held(lock: Path) -> bool:
    """Tell whether a process holds the lock file `lock`."""
    if not lock.is_file():
        return False
    descriptor = try_lock(lock)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False
