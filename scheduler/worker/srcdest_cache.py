"""Sources that are kept between builds, for packages that ask for it.

What one version of a package does must not decide what the next one is made of. So builds get
copies, and what is kept is vouched for: files whose sum the `.SRCINFO` has, known by that sum, and
mirrors of git repositories as they were before anything of the package was run.
"""

from __future__ import annotations

import logging
import os
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.locks import try_lock
from caur_ci.names import check_package_name, check_repository_name
from caur_ci.process import run
from scheduler.files import NotAFileError, open_regular_file, remove_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from scheduler.worker.sources import FileSource, GitSource, Sources

_log = logging.getLogger(__name__)

_KEPT_FOR = 30 * 24 * 3600
# Larger files are downloaded anew each time.
_LARGEST_FILE = 16 * 1024**3
_PASSABLE, _OURS = 0o711, 0o700
_LOCK = ".lock"
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class KeptSources:
    """The sources of one package in `folder`, which nobody but this worker's user can look into."""

    folder: Path

    def provide(self, sources: Sources, downloads: Path) -> None:
        """Copy what there is of `sources` to `downloads`, which nobody else has yet.

        Raises OSError and ProcessError.
        """
        for file in sources.files:
            _copy(self._file(file), downloads / file.name)
        for repository in sources.git:
            _copy(self._mirror(repository), downloads / repository.name)

    def keep_files(self, sources: Sources, downloads: Path, check: Callable[[], None]) -> None:
        """Keep those files in `downloads` that are what the `.SRCINFO` says, and drop all others.

        `check` is called often, and ends it by raising something. Raises OSError.
        """
        for file in sources.files:
            kept = self._file(file)
            if not kept.exists():
                kept.parent.mkdir(mode=_OURS, exist_ok=True)
                # What is no plain file, or not there, is none of ours.
                with suppress(FileNotFoundError, NotAFileError):
                    _keep(file, downloads / file.name, kept, check)
        self._drop("files", {file.key for file in sources.files})
        self._drop("mirrors", {repository.key for repository in sources.git})

    def keep_mirror(self, repository: GitSource, downloads: Path) -> None:
        """Keep a mirror in `downloads` that nothing of a package has had in its hands.

        Raises OSError and ProcessError.
        """
        kept = self._mirror(repository)
        kept.parent.mkdir(mode=_OURS, exist_ok=True)
        fresh = kept.with_suffix(".new")
        remove_tree(fresh)
        _copy(downloads / repository.name, fresh)
        remove_tree(kept)
        fresh.rename(kept)

    def _file(self, file: FileSource) -> Path:
        return self.folder / "files" / file.key

    def _mirror(self, repository: GitSource) -> Path:
        return self.folder / "mirrors" / repository.key

    def _drop(self, kind: str, wanted: Collection[str]) -> None:
        with suppress(FileNotFoundError):
            for path in (self.folder / kind).iterdir():
                if path.name not in wanted:
                    remove_tree(path)


class SrcdestCache:
    """The kept sources of all packages below one folder, which several workers may share.

    Each package of each source repository has a folder, and beside it a lock whose time says when
    it was used last.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def of_package(self, source_repo: str, pkgbase: str) -> Iterator[KeptSources | None]:
        """Provide the kept sources of a package, and keep others from them.

        None where another build has them. Raises OSError.
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
            _make_ours(kept)
            yield KeptSources(kept)
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


def _make_ours(folder: Path) -> None:
    """Make `folder`. What earlier versions let builds write to goes."""
    with suppress(FileNotFoundError):
        status = folder.lstat()
        if status.st_uid == os.geteuid() and status.st_mode & 0o777 == _OURS:
            return
        remove_tree(folder)
    folder.mkdir(mode=_OURS)


def _copy(source: Path, target: Path) -> None:
    """Copy one of our own files or folders, if it is there, without its owner."""
    if source.exists():
        options = ["-R", "-P", "--reflink=auto", "--preserve=mode,timestamps"]
        run(["cp", *options, "--no-target-directory", "--", source, target])


def _keep(file: FileSource, source: Path, kept: Path, check: Callable[[], None]) -> None:
    """Copy a file that a build has left, if it is what it should be."""
    fresh = kept.with_name(f"{kept.name}.new")
    fresh.unlink(missing_ok=True)
    digest, size = file.hasher(), 0
    try:
        with open_regular_file(source) as reader, fresh.open("xb") as writer:
            while (chunk := reader.read(_CHUNK)) and size <= _LARGEST_FILE:
                check()
                size += len(chunk)
                digest.update(chunk)
                writer.write(chunk)
        if size <= _LARGEST_FILE and digest.hexdigest() == file.digest:
            fresh.rename(kept)
    finally:
        fresh.unlink(missing_ok=True)


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
