"""An engine and an image for tests that build in containers."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scheduler.settings import ContainerSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

_SCRIPT = Path(__file__).parents[2] / "scripts" / "try-containers"
# As it was before tests get a home of their own.
_ENVIRONMENT = dict(os.environ)


@dataclass(frozen=True)
class Containers:
    """How containers can be run here: `environment` is for whatever starts them."""

    environment: Mapping[str, str]

    @property
    def engine(self) -> str:
        return self.environment["CONTAINER_ENGINE"]

    @property
    def image(self) -> str:
        return self.environment["BUILDER_IMAGE"]

    def settings(self, *, cpus: float = 0.0, memory: int = 0) -> ContainerSettings:
        return ContainerSettings(
            image=self.image,
            engine=self.engine,
            network=self.environment.get("BUILDER_NETWORK_MODE", ""),
            user_namespace="BUILDER_USERNS" not in self.environment,
            cpus=cpus,
            memory=memory,
        )

    def run(self, *arguments: str) -> str:
        """Run the engine and return what it prints."""
        done = subprocess.run(
            [self.engine, *arguments],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout


def need_containers(monkeypatch: pytest.MonkeyPatch) -> Containers:
    """Return how containers can be run here, and set the environment up for it.

    Skips the test where they cannot; with CAUR_TEST_REQUIRE set, fails it.
    """
    settings, problem = _tried()
    if settings is None:
        if os.environ.get("CAUR_TEST_REQUIRE"):
            pytest.fail(problem)
        pytest.skip(problem)
    # An ordinary user's images are in the home of whoever runs the tests.
    data = _ENVIRONMENT.get("XDG_DATA_HOME") or str(Path(_ENVIRONMENT["HOME"], ".local", "share"))
    monkeypatch.setenv("XDG_DATA_HOME", data)
    if "CONTAINERS_CONF" in settings:
        monkeypatch.setenv("CONTAINERS_CONF", settings["CONTAINERS_CONF"])
    return Containers(settings)


@cache
def _tried() -> tuple[dict[str, str] | None, str]:
    done = subprocess.run(
        [_SCRIPT, "--stand-in"], env=_ENVIRONMENT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        return None, f"containers cannot be run here: {done.stderr.strip()}"
    return dict(line.split("=", 1) for line in done.stdout.splitlines()), ""
