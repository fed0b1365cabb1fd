"""Downloaded sources that are kept between builds, for packages that ask for it."""

from __future__ import annotations

import logging
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from caur_ci.locks import try_lock
from caur_ci.names import check_package_name, check_repository_name
from scheduler.files import remove_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from scheduler.worker.users import BuildUser

_log = logging.getLogger(__name__)

_KEPT_FOR = 30 * 24 * 3600
_PASSABLE = 0o711
_LOCK = ".lock"


class KeptDownloads:
    """The kept sources of all packages below one folder, which several workers may share.

    Each package of each source repository has a folder, and beside it a lock whose time says when
    it was used last.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def of_package(self, source_repo: str, pkgbase: str, user: BuildUser) -> Iterator[Path | None]:
        """Provide the folder of a package, for `user` to write to, and keep others from it.

        None where another build has it. Raises OSError.
        """
        place = self._folder / check_repository_name(source_repo)
        for path in (self._folder, place):
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(_PASSABLE)
        kept = place / check_package_name(pkgbase)
        lock = _take(place / f"{pkgbase}{_LOCK}")
        if lock is None:
            yield None
            return
        try:
            kept.mkdir(exist_ok=True)
            # The worker that used it last may have had another user for its builds.
            user.give(kept)
            yield kept
            os.utime(lock)
        finally:
            os.close(lock)

    def packages(self, source_repo: str) -> tuple[str, ...]:
        """Return the packages of a repository that have kept sources."""
        locks = (self._folder / check_repository_name(source_repo)).glob(f"*{_LOCK}")
        return tuple(sorted(path.name.removesuffix(_LOCK) for path in locks))

    def forget(self, source_repo: str, packages: Collection[str]) -> None:
        """Remove the sources of packages that are gone, unless a build has them just now."""
        self._remove(source_repo, packages, lambda _: True)

    def sweep(self) -> None:
        """Remove what nobody has used for a month."""
        if not self._folder.is_dir():
            return
        oldest = time.time() - _KEPT_FOR
        for place in self._folder.iterdir():
            self._remove(
                place.name, self.packages(place.name), lambda lock: _used_at(lock) < oldest
            )

    def _remove(
        self, source_repo: str, packages: Collection[str], is_due: Callable[[Path], bool]
    ) -> None:
        place = self._folder / check_repository_name(source_repo)
        for pkgbase in packages:
            path = place / f"{check_package_name(pkgbase)}{_LOCK}"
            if not path.exists() or not is_due(path):
                continue
            lock = try_lock(path)
            if lock is None:
                continue
            try:
                _log.info("the kept sources of %s/%s are removed", source_repo, pkgbase)
                remove_tree(place / pkgbase)
                path.unlink(missing_ok=True)
            finally:
                os.close(lock)


def _take(path: Path) -> int | None:
    """Take a lock that whoever removes the sources may remove in the same instant."""
    while True:
        lock = try_lock(path)
        if lock is None:
            return None
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock), path.stat()):
                return lock
        os.close(lock)


def _used_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()
