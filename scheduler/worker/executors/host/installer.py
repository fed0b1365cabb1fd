"""pacman as root on this machine itself, for machines that are thrown away after their builds."""

from __future__ import annotations

import os
import shutil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from caur_ci.errors import ConfigError
from caur_ci.locks import try_lock
from scheduler.worker.executors.folders import scripts_of
from scheduler.worker.executors.guestsetup import write_setup
from scheduler.worker.executors.protocol import GuestError, StoppedError
from scheduler.worker.executors.step_process import Shown

if TYPE_CHECKING:
    from scheduler.worker.executors.guestsetup import Run
    from scheduler.worker.executors.protocol import BuildSpec, Watch

_PACMAN_CONF = Path("/etc/pacman.conf")
# As it was before the first build added its repositories.
_ORIGINAL = Path("/etc/pacman.conf.caur-ci")
# Beside what it is about: containers may have a /run in common, and no pacman.
_LOCK = Path("/var/lib/pacman/caur-ci.lck")


class Installer:
    """The right of one worker to install on this machine, for as long as its process lives."""

    def __init__(self) -> None:
        """Take it. Raises ConfigError where this is not root, or another worker has it."""
        if os.geteuid() != 0:
            raise ConfigError(
                "BUILDER_INSTALL: only root can install what packages need",
                hint="Run the worker as root of a container or pod that is thrown away, best with "
                "a user namespace. What it builds runs as another user all the same.",
            )
        try:
            _LOCK.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
            self._lock = try_lock(_LOCK)
        except OSError as error:
            raise ConfigError(f"BUILDER_INSTALL: {_LOCK}: {error.strerror}") from error
        if self._lock is None:
            raise ConfigError(
                "BUILDER_INSTALL: another worker installs on this machine already",
                hint="Such a worker needs a machine of its own.",
            )

    def set_up(self, build_spec: BuildSpec, run: Run, watch: Watch) -> dict[str, str]:
        """Tell pacman about the repositories of a build; return what the steps are told.

        `run` runs a command as root. The system is brought up to date. Raises GuestError and
        StoppedError, and ConfigError or InputError for what pacman cannot be told.
        """
        scripts = scripts_of(build_spec.folder)
        setup = scripts / "setup"
        try:
            told = write_setup(build_spec, setup, PurePosixPath(setup))
            if not _ORIGINAL.exists():
                shutil.copy2(_PACMAN_CONF, _ORIGINAL)
            shutil.copy2(_ORIGINAL, _PACMAN_CONF)
        except OSError as error:
            raise GuestError(f"pacman cannot be set up on this machine: {error}") from error
        shown = Shown(watch)
        ending = run(["bash", str(scripts / "pacman.sh"), str(setup)], shown)
        if ending.stopped is not None:
            raise StoppedError(ending.stopped)
        if ending.code != 0:
            raise GuestError(f"pacman could not be set up on this machine: {shown.last_error()}")
        return told
