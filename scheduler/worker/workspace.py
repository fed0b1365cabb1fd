"""Where builds happen: a folder of each worker's own, and in it a fresh one for each build."""

from __future__ import annotations

import stat
from contextlib import contextmanager, suppress
from os import close, geteuid
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import ConfigError
from caur_ci.locks import locked, try_lock
from scheduler.files import remove_tree
from scheduler.worker.executors.protocol import BuildFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler.worker.users import BuildUser

# For workers whose shared folder another user cannot get to.
_PUBLIC_PLACE = Path("/var/tmp")  # noqa: S108 - the folder in it is ours alone, or not used
_PASSABLE = 0o711


class Workspace:
    """The folder of one worker, and that for sources which all workers share."""

    def __init__(self, folder: Path, downloads: Path) -> None:
        self.folder = folder
        self.downloads = downloads

    @contextmanager
    def build_folder(self, name: str) -> Iterator[BuildFolder]:
        """Provide a new folder for one build, and remove it with all that was left in it."""
        root = self.folder / name
        remove_tree(root)
        root.mkdir()
        root.chmod(_PASSABLE)
        try:
            yield BuildFolder(root=root)
        finally:
            remove_tree(root)


@contextmanager
def workspace(shared: Path, worker_id: str, user: BuildUser) -> Iterator[Workspace]:
    """Provide the folder of a worker, below `shared` where `user` can get there.

    What workers that died have left is removed. Raises ConfigError when there is no place.
    """
    try:
        base = _base(shared, user)
    except OSError as error:
        raise ConfigError(
            f"{error.filename or shared} cannot be used for builds: {error.strerror}",
            hint="Set SHARED_PATH to a folder that the worker can write to.",
        ) from error
    _remove_abandoned(base)
    lock = base / f"{worker_id}.lock"
    folder = base / worker_id
    with locked(lock):
        folder.mkdir()
        folder.chmod(_PASSABLE)
        try:
            yield Workspace(folder, (shared if base.parent == shared else base) / "downloads")
        finally:
            remove_tree(folder)
            lock.unlink(missing_ok=True)


def _base(shared: Path, user: BuildUser) -> Path:
    with suppress(FileExistsError):  # of several workers that start at once, one makes it
        shared.mkdir(parents=True)
        shared.chmod(_PASSABLE)
    if user.can_reach(shared):
        return _own_folder(shared / "builds")
    public = _own_folder(_PUBLIC_PLACE / f"caur-ci-builds-{geteuid()}")
    if not user.can_reach(public):
        raise ConfigError(
            f"the user that builds run as (id {user.uid}) can get neither to {shared} nor to "
            f"{public}",
            hint="Set SHARED_PATH to a folder that every user may pass through (chmod o+x).",
        )
    return public


def _own_folder(path: Path) -> Path:
    with suppress(FileExistsError):
        path.mkdir()
        path.chmod(_PASSABLE)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != geteuid() or status.st_mode & 0o022:
        raise ConfigError(
            f"{path} is not a folder of this worker's user alone",
            hint="Remove it, or set SHARED_PATH to another folder.",
        )
    return path


def _remove_abandoned(base: Path) -> None:
    for lock in base.glob("*.lock"):
        descriptor = try_lock(lock)
        if descriptor is not None:
            remove_tree(lock.with_suffix(""))
            lock.unlink(missing_ok=True)
            close(descriptor)
