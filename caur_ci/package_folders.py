"""The repository of PKGBUILDs: which packages it holds, at any commit or in the working tree.

A package is a top-level folder whose name does not start with a dot; the folder's name is its
pkgbase.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Protocol, Self

from caur_ci.errors import InputError
from caur_ci.git.trees import SUBMODULE_MODE
from caur_ci.names import is_package_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from caur_ci.git import GitRepository


# More files than this are not held in memory only because they are read one after the other.
_AT_ONCE = 5_000


class PackageFolders(Protocol):
    """The package folders of one state of the repository."""

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages, sorted by name."""

    @property
    def unusable(self) -> tuple[str, ...]:
        """Top-level folders whose names cannot be package names, sorted."""

    @property
    def submodules(self) -> tuple[str, ...]:
        """Top-level folders that are other repositories, sorted."""

    def read(self, file: str, packages: Iterable[str] | None = None) -> dict[str, bytes | None]:
        """Return the content of `file` in the folders of `packages` (default: all).

        None where there is no such regular file.
        """


def unusable_folders(folders: PackageFolders) -> Iterator[str]:
    """Yield a sentence about each folder that cannot be a package."""
    for name in folders.unusable:
        yield f"the folder {name!r} is ignored: its name cannot be that of a package"
    for name in folders.submodules:
        yield f"the folder {name!r} is ignored: it is a submodule, and its files are not here"


class CommittedFolders:
    """The package folders at one commit."""

    def __init__(
        self,
        git: GitRepository,
        commit: str,
        trees: Mapping[str, str],
        submodules: Iterable[str] = (),
    ) -> None:
        self._git = git
        self.commit = commit
        self._trees = {name: tree for name, tree in trees.items() if is_package_name(name)}
        self.packages = tuple(sorted(self._trees))
        self.unusable = tuple(sorted(trees.keys() - self._trees.keys()))
        self.submodules = tuple(sorted(submodules))

    @classmethod
    def at(cls, git: GitRepository, commit: str) -> Self:
        """Read the top folder of `commit`, a full id."""
        entries = [entry for entry in git.entries(commit) if not entry.name.startswith(".")]
        return cls(
            git,
            commit,
            {entry.name: entry.object_id for entry in entries if entry.is_folder},
            [entry.name for entry in entries if entry.mode == SUBMODULE_MODE],
        )

    def read(self, file: str, packages: Iterable[str] | None = None) -> dict[str, bytes | None]:
        """Return the content of `file` in the folders of `packages`, read by one git process."""
        names = list(self.packages if packages is None else packages)
        # By the folder's own id: git need not walk the large top folder for each of them.
        blobs = self._git.read_blobs([f"{self._trees[name]}:{file}" for name in names])
        return dict(zip(names, blobs, strict=True))

    def each(self, file: str) -> Iterator[tuple[str, bytes | None]]:
        """Yield every package with the content of `file` in its folder, read a part at a time."""
        for start in range(0, len(self.packages), _AT_ONCE):
            yield from self.read(file, self.packages[start : start + _AT_ONCE]).items()

    def having(self, file: str, packages: Iterable[str]) -> set[str]:
        """Return those of `packages` whose folder has a regular file `file`."""
        names = list(packages)
        kinds = self._git.object_types([f"{self._trees[name]}:{file}" for name in names])
        return {name for name, kind in zip(names, kinds, strict=True) if kind == "blob"}

    def tree(self, package: str) -> str:
        """Return the id of the package's folder."""
        return self._trees[package]


class WorkingFolders:
    """The package folders of a working tree, as they are on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            with os.scandir(folder) as found:
                names = {
                    entry.name
                    for entry in found
                    if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")
                }
        except OSError as error:
            raise InputError(f"the folder {folder} cannot be read: {error.strerror}") from error
        # git keeps the place of a submodule's repository there, or the repository itself.
        others = {name for name in names if os.path.lexists(f"{folder}/{name}/.git")}
        self.submodules = tuple(sorted(others))
        names -= others
        self.packages = tuple(sorted(name for name in names if is_package_name(name)))
        self.unusable = tuple(sorted(name for name in names if not is_package_name(name)))

    def read(self, file: str, packages: Iterable[str] | None = None) -> dict[str, bytes | None]:
        """Return the content of `file` in the folders of `packages`; links are not followed."""
        names = self.packages if packages is None else packages
        return {name: _read_regular(f"{self._folder}/{name}/{file}") for name in names}


def _read_regular(path: str) -> bytes | None:
    try:
        # Not blocking: a pipe of that name must not stop us.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        with open(handle, "rb", closefd=False) as opened:
            return opened.read()
    finally:
        os.close(handle)
