"""Where a run keeps what it works with, and what is kept for the next one.

    lock                  held by the run that is under way
    private/              for this user only
      unfinished          the id of a run that has not come to its end
      state/              the queue
      signing-key.asc     the key that was made here, where none was given
      worker-keys/        the keys that workers sign their deliveries with
    allowed_workers       whose deliveries are published: theirs
    source.git            the repository of PKGBUILDs, as workers see it
    landing/, shared/     deliveries; sources and builds
    repository/           the pacman repositories, as REPO_PATH has them
    logs/                 the log of each build of the latest run, and of each process

`shared` is worth keeping between jobs of a CI; the rest saves nothing but the work of a run that
was killed.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.errors import InputError, TemporaryError
from caur_ci.locks import try_lock
from scheduler import embedded
from scheduler.files import make_public_folder, remove_tree
from scheduler.private import make_private

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HINT = "Name a folder that you may write to with --work-dir."
# Builds run as another user when this is root, and have to get to their folders.
_PASSABLE = 0o711
# That user is to change nothing, in jobs where everybody may write to what is made as well.
_UMASK = 0o022


@dataclass(frozen=True, slots=True)
class WorkDir:
    """The folder of runs for one repository of PKGBUILDs."""

    folder: Path

    @property
    def private(self) -> Path:
        """What nobody else may look into."""
        return self.folder / "private"

    @property
    def state(self) -> Path:
        """The state folder, with the queue."""
        return self.private / "state"

    @property
    def signing_key(self) -> Path:
        """The key that was made here."""
        return self.private / "signing-key.asc"

    @property
    def allowed_workers(self) -> Path:
        """The file that says whose deliveries are published."""
        return self.folder / "allowed_workers"

    @property
    def source(self) -> Path:
        """The bare repository that workers and the database runner read."""
        return self.folder / "source.git"

    @property
    def landing(self) -> Path:
        """The landing zone."""
        return self.folder / "landing"

    @property
    def shared(self) -> Path:
        """Sources, builds and caches."""
        return self.folder / "shared"

    @property
    def repository(self) -> Path:
        """Where pacman repositories are published on this machine."""
        return self.folder / "repository"

    @property
    def logs(self) -> Path:
        """The log of every build and of every process."""
        return self.folder / "logs"

    def worker_key(self, name: str) -> Path:
        """Return the key that the worker `name` signs with."""
        return self.private / "worker-keys" / name

    @property
    def unfinished(self) -> str:
        """The id of the run that has not come to its end here, empty where there is none."""
        try:
            return self._mark.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            return ""

    def mark(self, run_id: str) -> None:
        """Note that all that a run goes on from is here, until it comes to its end."""
        fresh = self._mark.with_suffix(".new")
        fresh.write_text(run_id, encoding="ascii")
        fresh.rename(self._mark)

    def forget_work(self) -> None:
        """Forget the run that was here: the queue, and what was delivered to it."""
        self._mark.unlink(missing_ok=True)
        embedded.stop(self.state)
        remove_tree(self.state)
        remove_tree(self.landing)

    @property
    def _mark(self) -> Path:
        return self.private / "unfinished"


@contextmanager
def opened(folder: Path) -> Iterator[WorkDir]:
    """Provide the folder `folder` to one run at a time, whatever the umask is outside.

    Raises InputError for a folder that cannot be used, TemporaryError where a run is at work there.
    """
    before = os.umask(_UMASK)
    try:
        lock = _locked(work := WorkDir(folder.absolute()))
        try:
            yield work
        finally:
            os.close(lock)
    finally:
        os.umask(before)


def _locked(work: WorkDir) -> int:
    """Make what is missing, and return the lock."""
    try:
        make_public_folder(work.folder)
        work.folder.chmod(_PASSABLE)
        make_private(work.private, "the keys and the queue of a run", hint=_HINT)
        lock = try_lock(work.folder / "lock")
        if lock is not None:
            shutil.rmtree(work.logs, ignore_errors=True)
            work.logs.mkdir()
            (work.private / "worker-keys").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{work.folder} cannot be used as the work folder: {error.strerror}", hint=_HINT
        ) from error
    if lock is None:
        raise TemporaryError(
            f"another run is at work in {work.folder}", hint="Wait for its end, then run it again."
        )
    return lock
