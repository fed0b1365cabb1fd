"""A folder as a publishing target: of a web server, or what a pipeline keeps as its pages."""

from __future__ import annotations

import shutil
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError
from caur_ci.locks import locked
from scheduler.files import make_public_folder
from scheduler.hosting.protocol import nothing_to_check

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from scheduler.hosting.protocol import Change, Check, Uploader

# On the same file system as what readers see; no name that a repository can have.
_PRIVATE = ".caur-upload"


class FolderTarget:
    """The folder `root`, with R/A/NAME below it."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    @property
    def address(self) -> str:
        return str(self._root)

    @property
    def server(self) -> str:
        return f"file://{self._root}/$repo/$arch"

    def listing(self, repository: str) -> Mapping[str, int]:
        home = self._root / repository
        return {
            path.relative_to(self._root).as_posix(): path.stat().st_size
            for path in home.rglob("*")
            if path.is_file() and not path.is_symlink()
        }

    def fetch(self, paths: Iterable[str], root: Path) -> None:
        with self._translated():
            for path in paths:
                _copy(self._root / path, root / path, fresh=root / f"{path}.part")

    def admit(self, change: Change) -> None:
        """Take any file."""

    @contextmanager
    def held(self, repository: str, uploader: Uploader) -> Iterator[Check]:
        """Wait for whoever has it: the kernel knows when that one is dead."""
        del repository, uploader
        with ExitStack() as stack:
            with self._translated():
                stack.enter_context(locked(self._private() / "lock"))
            yield nothing_to_check

    def apply(self, change: Change, check: Check = nothing_to_check) -> None:
        with self._translated():
            fresh = self._private() / "new"
            for upload in (each for stage in change.stages for each in stage):
                check()
                _copy(upload.source, self._root / upload.path, fresh=fresh)
            for path in change.removals:
                (self._root / path).unlink(missing_ok=True)

    def _private(self) -> Path:
        make_public_folder(self._root)
        private = self._root / _PRIVATE
        private.mkdir(exist_ok=True)
        return private

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise CaurError(
                f"the publishing target {self.address}: {error.strerror}: {error.filename}",
                hint="Make room, or make the folder one that this user may write to.",
            ) from error


def _copy(source: Path, target: Path, *, fresh: Path) -> None:
    make_public_folder(target.parent)
    try:
        shutil.copyfile(source, fresh)
        fresh.chmod(0o644)
        # pacman asks a web server whether a database is newer than the one it has.
        shutil.copystat(source, fresh)
        fresh.chmod(0o644)
        fresh.replace(target)
    except OSError:
        # A disk that is full is not to stay so by what nobody reads.
        fresh.unlink(missing_ok=True)
        raise
