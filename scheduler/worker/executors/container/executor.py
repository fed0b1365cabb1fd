"""Builds in containers, by podman or docker: one for each build, made anew."""

from __future__ import annotations

import os
import uuid
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from caur_ci.architectures import base_of
from caur_ci.locks import try_lock
from scheduler.worker.executors.container.container_user import ContainerUser
from scheduler.worker.executors.container.engine import Engine
from scheduler.worker.executors.container.guest import ContainerGuest
from scheduler.worker.executors.container.images import provide_image
from scheduler.worker.executors.container.launcher import Launcher
from scheduler.worker.executors.folders import inner_paths, make_folders, scripts_of
from scheduler.worker.executors.guestsetup import write_setup
from scheduler.worker.executors.protocol import GuestError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from scheduler.settings import ContainerSettings
    from scheduler.worker.executors.protocol import BuildSpec, Watch

DEFAULT_PROCESSES = 8192
_OWNER_SUFFIX = ".owner"


class ContainerExecutor:
    """Runs makepkg in containers.

    `folder` is where workers of this machine keep what is about containers. `readable` are paths
    of this machine that every build may read. `processes` is how many a build may have at once.
    """

    name = "container"
    has_root = True
    installs_dependencies = True

    def __init__(
        self,
        settings: ContainerSettings,
        engine: Engine,
        *,
        folder: Path,
        owner: Path,
        readable: Sequence[Path] = (),
        processes: int = DEFAULT_PROCESSES,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._folder = folder
        self.owner = owner
        self._readable = readable
        self._processes = processes
        self._guests = 0

    @classmethod
    @contextmanager
    def opened(
        cls,
        settings: ContainerSettings,
        folder: Path,
        *,
        readable: Sequence[Path] = (),
        processes: int = DEFAULT_PROCESSES,
    ) -> Iterator[Self]:
        """Provide an executor; what is left of those whose worker died is removed by the next.

        Raises ConfigError or ProcessError where there is no engine.
        """
        engine = Engine.find(settings.engine)
        folder.mkdir(parents=True, exist_ok=True)
        owner, lock = _new_owner(folder)
        try:
            yield cls(
                settings,
                engine,
                folder=folder,
                owner=owner,
                readable=readable,
                processes=processes,
            )
        finally:
            owner.unlink(missing_ok=True)
            os.close(lock)

    @property
    def separates_users(self) -> bool:
        """Whether root in a container is somebody else outside."""
        return self._engine.is_podman and (self._settings.user_namespace or os.geteuid() != 0)

    def check(self) -> None:
        """Raise ConfigError where containers cannot be run, and remove what dead workers left."""
        self._engine.check()
        self._engine.sweep()
        for lock in self._folder.glob(f"*{_OWNER_SUFFIX}"):
            descriptor = try_lock(lock)
            if descriptor is not None:
                lock.unlink(missing_ok=True)
                os.close(descriptor)

    def check_ready(self, watch: Watch) -> None:
        """See that the engine runs and the image is there; see `Executor.check_ready`."""
        self._engine.check()
        provide_image(self._engine, self._settings.image, self._folder, watch)

    @contextmanager
    def guest(self, build_spec: BuildSpec, watch: Watch) -> Iterator[ContainerGuest]:
        """Provide the container of one build; see `Executor.guest`."""
        image = build_spec.image or self._settings.image
        provide_image(self._engine, image, self._folder, watch)
        if build_spec.image:
            self._engine.check_architecture(image, base_of(build_spec.arch))
        identity = ContainerUser.of(
            build_spec.user, self._engine, user_namespace=self._settings.user_namespace
        )
        build_spec = replace(build_spec, user=identity.outside)
        paths = inner_paths(build_spec.pkgbase)
        try:
            make_folders(build_spec)
            told = write_setup(
                build_spec, scripts_of(build_spec.folder) / "setup", paths.scripts / "setup"
            )
        except OSError as error:
            raise GuestError(f"the folders of a build cannot be made: {error}") from error
        self._guests += 1
        launcher = Launcher(
            engine=self._engine,
            build_spec=replace(build_spec, environment=told | dict(build_spec.environment)),
            paths=paths,
            identity=identity,
            settings=replace(self._settings, image=image),
            readable=self._readable,
            processes=self._processes,
            owner=self.owner,
            name=f"caur-ci-{self.owner.stem}-{self._guests}",
        )
        guest = ContainerGuest(launcher, image=self._engine.image_digest(image), watch=watch)
        try:
            guest.set_up(watch)
            yield guest
        finally:
            guest.close()


def _new_owner(folder: Path) -> tuple[Path, int]:
    """Make and take a lock file that says that this worker lives."""
    while True:
        owner = folder / f"{uuid.uuid4().hex}{_OWNER_SUFFIX}"
        lock = try_lock(owner)
        # Before it was taken, another worker may have thought that its owner is dead.
        if lock is not None and owner.exists():
            return owner, lock
