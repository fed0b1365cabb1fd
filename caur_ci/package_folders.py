"""The repository of PKGBUILDs: which packages it holds, at any commit or in the working tree.

A package is a top-level folder whose name does not start with a dot; the folder's name is its
pkgbase.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from caur_ci.errors import InputError
from caur_ci.git.trees import SUBMODULE_MODE
from caur_ci.names import is_package_name
from caur_ci.srcinfo import SRCINFO

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from caur_ci.generated_srcinfo import PkgbuildFolder, Srcinfo, SrcinfoGenerator
    from caur_ci.git import GitRepository


# What of a package's folder is the repository's own, whatever its source has under these names.
OWN = frozenset({".CI", ".git", ".gitignore"})
# As much as a folder may have that comes from elsewhere.
MOST_FILES = 2000
LARGEST_FILE = 16 * 1024**2
LARGEST_FOLDER = 64 * 1024**2
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

    def srcinfos(self, packages: Iterable[str] | None = None) -> Iterator[tuple[str, Srcinfo]]:
        """Yield the `.SRCINFO` of `packages` (default: all), the committed or a generated one."""


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
        generator: SrcinfoGenerator | None = None,
    ) -> None:
        self._git = git
        self._generator = generator
        self.commit = commit
        self._trees = {name: tree for name, tree in trees.items() if is_package_name(name)}
        self.packages = tuple(sorted(self._trees))
        self.unusable = tuple(sorted(trees.keys() - self._trees.keys()))
        self.submodules = tuple(sorted(submodules))

    @classmethod
    def at(cls, git: GitRepository, commit: str, *, generate: bool = False) -> Self:
        """Read the top folder of `commit`, the full id of it or of a tree.

        With `generate`, folders without a `.SRCINFO` have the one that follows from the PKGBUILD.
        """
        entries = [entry for entry in git.entries(commit) if not entry.name.startswith(".")]
        return cls(
            git,
            commit,
            {entry.name: entry.object_id for entry in entries if entry.is_folder},
            [entry.name for entry in entries if entry.mode == SUBMODULE_MODE],
            _generator_of(git) if generate else None,
        )

    def read(self, file: str, packages: Iterable[str] | None = None) -> dict[str, bytes | None]:
        """Return the content of `file` in the folders of `packages`, read by one git process."""
        names = list(self.packages if packages is None else packages)
        # By the folder's own id: git need not walk the large top folder for each of them.
        blobs = self._git.read_blobs([f"{self._trees[name]}:{file}" for name in names])
        return dict(zip(names, blobs, strict=True))

    def contents(
        self, files: Collection[str], packages: Iterable[str] | None = None
    ) -> dict[str, dict[str, bytes]]:
        """Return those of `files` that each of `packages` (default: all) has.

        A `.SRCINFO` that is generated counts as one of them.
        """
        found: dict[str, dict[str, bytes]] = {}
        for names in self._parts(packages, _AT_ONCE // max(len(files), 1)):
            wanted = [(name, file) for name in names for file in files]
            blobs = self._git.read_blobs([f"{self._trees[name]}:{file}" for name, file in wanted])
            found.update((name, {}) for name in names)
            for (name, file), content in zip(wanted, blobs, strict=True):
                if content is not None:
                    found[name][file] = content
            if SRCINFO in files:
                missing = [name for name in names if SRCINFO not in found[name]]
                for name, made in self._generated(missing).items():
                    if isinstance(made, bytes):
                        found[name][SRCINFO] = made
        return found

    def srcinfos(self, packages: Iterable[str] | None = None) -> Iterator[tuple[str, Srcinfo]]:
        """Yield the `.SRCINFO` of `packages` (default: all), read a part at a time."""
        for names in self._parts(packages, _AT_ONCE):
            committed = self.read(SRCINFO, names)
            made = self._generated([name for name, data in committed.items() if data is None])
            for name, data in committed.items():
                yield name, made.get(name) if data is None else data

    def srcinfo_in(self, tree: str, package: str) -> Srcinfo:
        """Return the `.SRCINFO` of a tree that is to become the folder of `package`."""
        (committed,) = self._git.read_blobs([f"{tree}:{SRCINFO}"])
        if committed is not None or self._generator is None:
            return committed
        return self._generator.of_trees(self._git, {package: tree})[package]

    def _parts(self, packages: Iterable[str] | None, most: int) -> Iterator[list[str]]:
        names = list(self.packages if packages is None else packages)
        for start in range(0, len(names), max(most, 1)):
            yield names[start : start + max(most, 1)]

    def _generated(self, packages: Sequence[str]) -> dict[str, Srcinfo]:
        if self._generator is None or not packages:
            return {}
        return self._generator.of_trees(self._git, {name: self._trees[name] for name in packages})

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

    def __init__(self, folder: Path, *, generator: SrcinfoGenerator | None = None) -> None:
        """Read the top folder.

        With a `generator`, folders without a `.SRCINFO` have the one that follows from the
        PKGBUILD.
        """
        self._folder = folder
        self._generator = generator
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
        return {name: read_regular(f"{self._folder}/{name}/{file}") for name in names}

    def srcinfos(self, packages: Iterable[str] | None = None) -> Iterator[tuple[str, Srcinfo]]:
        """Yield the `.SRCINFO` of `packages` (default: all), the committed or a generated one."""
        committed = self.read(SRCINFO, packages)
        made: dict[str, Srcinfo] = {}
        if self._generator is not None:
            missing = [name for name, data in committed.items() if data is None]
            made = self._generator.of_folders(map(self._pkgbuild, missing))
        for name, data in committed.items():
            yield name, made.get(name) if data is None else data

    def _pkgbuild(self, package: str) -> tuple[str, PkgbuildFolder | None]:
        folder = f"{self._folder}/{package}"
        pkgbuild = read_regular(f"{folder}/PKGBUILD")
        if pkgbuild is None:
            return package, None
        from caur_ci.generated_srcinfo import PkgbuildFolder  # noqa: PLC0415 - seldom needed

        names = [path.name for path in Path(folder).iterdir()]
        return package, PkgbuildFolder(pkgbuild, lambda: names)


def _generator_of(git: GitRepository) -> SrcinfoGenerator:
    from caur_ci.generated_srcinfo import SrcinfoGenerator  # noqa: PLC0415 - seldom needed

    return SrcinfoGenerator.beside(git)


def read_regular(path: str | Path) -> bytes | None:
    """Return what a file on disk holds, None where there is no such plain file."""
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
