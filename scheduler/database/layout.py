"""Where things are in a pacman repository on disk; `docs/repository.md` shows it to people."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.names import check_architecture, check_repository_name
from scheduler.settings import STAGING_FOLDER, staging_name

if TYPE_CHECKING:
    from pathlib import Path

USUAL_ARCH = "x86_64"
_NOT_PORTABLE = re.compile(r"[^A-Za-z0-9._-]")
_PRIVATE = ".caur"
# In the order in which they are put into place.
KINDS = ("files", "db")


@dataclass(frozen=True, slots=True)
class Layout:
    """The repository `name` for `arch` below `root` (REPO_PATH)."""

    root: Path
    name: str
    arch: str

    def __post_init__(self) -> None:
        check_repository_name(self.name)
        check_architecture(self.arch)

    @property
    def home(self) -> Path:
        """The folder that the architectures share."""
        return self.root / self.name

    @property
    def folder(self) -> Path:
        """What pacman reads."""
        return self.home / self.arch

    @property
    def archive(self) -> Path:
        """Where files go that are not listed any more; for people to fetch by hand."""
        return self.home / "archive" / self.arch

    @property
    def private(self) -> Path:
        """What is not for readers. On the same file system: what leaves it by rename is whole."""
        return self.home / _PRIVATE / self.arch

    @property
    def database(self) -> str:
        """The name of the database that pacman looks packages up in."""
        return f"{self.name}.db.tar.zst"

    @property
    def files_database(self) -> str:
        """The name of the database with the lists of files as well."""
        return f"{self.name}.files.tar.zst"

    @property
    def databases(self) -> tuple[str, ...]:
        """Databases and signatures, in the order in which they are put into place."""
        return tuple(
            f"{self.name}.{kind}.tar.zst{suffix}" for kind in KINDS for suffix in ("", ".sig")
        )

    @property
    def links(self) -> dict[str, str]:
        """The links in `folder`, by which pacman asks, and what they lead to."""
        return {
            f"{self.name}.{kind}{suffix}": f"{self.name}.{kind}.tar.zst{suffix}"
            for kind in KINDS
            for suffix in ("", ".sig")
        }

    @property
    def is_published(self) -> bool:
        """Whether there is a database for pacman to read, in whatever form."""
        return _has_database(self.folder, self.name)

    @property
    def is_foremost(self) -> bool:
        """Whether this is the architecture that the lists in `home` are about."""
        present = [each.arch for each in layouts(self.root, self.name) if each.is_published]
        return self.arch == (USUAL_ARCH if USUAL_ARCH in present else min(present, default=""))


def portable_name(filename: str) -> str:
    """Return the name of a package file in characters that every place can store.

    GitHub gives release assets with others new names, some file systems have no colon, which
    stands behind an epoch, and Amazon takes the plus sign of an address for a blank. pacman takes
    whatever name a database lists.
    """
    return _NOT_PORTABLE.sub("_", filename)


def staging_folder(root: Path, target: str) -> Path:
    """Return where packages of rebuild groups are staged that go to the repository `target`."""
    return root / check_repository_name(target) / STAGING_FOLDER


def staging_layout(root: Path, target: str, group: str, arch: str) -> Layout:
    """Return the repository of what is staged for a rebuild group; workers know where it is."""
    return Layout(staging_folder(root, target), staging_name(group), arch)


def group_of_staging(name: str) -> str:
    """Return the group that a repository of staged packages is called after."""
    return name.removeprefix(staging_name(""))


def layouts(root: Path, name: str) -> list[Layout]:
    """Return the repository `name` for each architecture that there is something of."""
    home = root / check_repository_name(name)
    ours = {path.parent.name for path in home.glob(f"{_PRIVATE}/*/lock")}
    found = {path.name for path in home.glob("*") if _has_database(path, name)}
    return [Layout(root, name, arch) for arch in sorted(ours | found)]


def repositories(root: Path) -> list[str]:
    """Return the names of the repositories below `root`."""
    homes = [path for path in root.glob("*") if path.is_dir()]
    return sorted(
        home.name
        for home in homes
        if (home / _PRIVATE).is_dir()
        or any(_has_database(path, home.name) for path in home.glob("*"))
    )


def _has_database(folder: Path, name: str) -> bool:
    names = {f"{name}.db"} | {path.name for path in folder.glob("*.db.tar*")}
    return any(
        (folder / each).is_file() and not each.endswith((".sig", ".old"))
        for each in names
        if each == f"{name}.db" or each.startswith(f"{name}.db.tar")
    )
