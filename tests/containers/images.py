"""The images of `containers/`, made from this checkout, and containers of them."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.support.containers import Containers

CHECKOUT = Path(__file__).parents[2]
# What builds the project, and what the oldest Python needs that this one may not.
_MORE_WHEELS = ("hatchling", "async-timeout")


@dataclass
class Images:
    """An engine and names of images that nobody else has."""

    containers: Containers
    name: str = field(default_factory=lambda: f"caur-ci-test-{secrets.token_hex(4)}")
    _started: list[str] = field(default_factory=list)

    def image(self, kind: str) -> str:
        """Return the name of the image of the manager or the worker."""
        return f"localhost/{self.name}-{kind}:test"

    def make(self, wheels: Path) -> None:
        """Make both, with Python packages from the folder `wheels` alone."""
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--wheel-dir", str(wheels)]
        subprocess.run([*pip, str(CHECKOUT), *_MORE_WHEELS], check=True, capture_output=True)
        # Without layers nothing is left of the stages in between. A stage that is another image as
        # it stands would be gone as well, with that image.
        self._build("manager", "manager", "--layers=false", f"--build-context=wheels={wheels}")
        self._build("builder", "worker", f"--build-arg=MANAGER={self.image('manager')}")

    def _build(self, folder: str, kind: str, *options: str) -> None:
        self.containers.run(
            *("build", "--quiet", "--format=docker", "--network=host"),
            *("--pull=never", f"--build-arg=BASE={self.containers.image}", *options),
            f"--file={CHECKOUT / 'containers' / folder / 'Containerfile'}",
            f"--tag={self.image(kind)}",
            str(CHECKOUT),
        )

    def remove(self) -> None:
        """Remove the containers and images."""
        if self._started:
            self._engine("rm", "--force", "--time=0", *self._started)
        self._engine("rmi", "--force", self.image("worker"), self.image("manager"))

    def start(self, service: str, kind: str, *options: str, environment: Mapping[str, str]) -> None:
        """Start a service in a container of its own."""
        name = f"{self.name}-{service}"
        self._started.append(name)
        words = ["run", "--detach", "--network=host", f"--name={name}"]
        done = self._engine(*words, *self._options(options, environment), self.image(kind), service)
        assert done.returncode == 0, done.stderr

    def run(
        self,
        kind: str,
        command: Sequence[str],
        *options: str,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a new container, and return how it ended."""
        words = ["run", "--rm", "--network=host", *self._options(options, environment or {})]
        return self._engine(*words, self.image(kind), *command)

    def within(self, service: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the container of a service."""
        return self._engine("exec", f"{self.name}-{service}", *command)

    def is_running(self, service: str) -> bool:
        """Tell whether a service has not ended."""
        name = f"{self.name}-{service}"
        return self._engine("inspect", "--format={{.State.Running}}", name).stdout == "true\n"

    def is_healthy(self, service: str) -> bool:
        """Tell whether the health check of a service says so."""
        return self._engine("healthcheck", "run", f"{self.name}-{service}").returncode == 0

    def end(self, service: str) -> int:
        """End a service as it wishes to be ended; return its exit code."""
        name = f"{self.name}-{service}"
        self._engine("stop", "--time=60", name)
        return int(self._engine("inspect", "--format={{.State.ExitCode}}", name).stdout)

    def said(self, service: str) -> str:
        """Return what a service printed."""
        done = self._engine("logs", f"{self.name}-{service}")
        return done.stdout + done.stderr

    def _options(self, options: Sequence[str], environment: Mapping[str, str]) -> list[str]:
        return [*options, *(f"--env={name}={value}" for name, value in environment.items())]

    def _engine(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.containers.engine, *words],
            env={**os.environ, **self.containers.environment},
            capture_output=True,
            text=True,
            check=False,
        )


@contextmanager
def made_images(containers: Containers, wheels: Path) -> Iterator[Images]:
    """Provide the images, and remove them with all containers."""
    images = Images(containers)
    try:
        images.make(wheels)
        yield images
    finally:
        images.remove()
