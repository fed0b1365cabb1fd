"""One state of a repository of PKGBUILDs, as far as it is validated."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from caur_ci.srcinfo import SRCINFO

if TYPE_CHECKING:
    from collections.abc import Mapping

PKGBUILD = "PKGBUILD"
PACKAGE_CONFIG = ".CI/config"
REPOSITORY_CONFIG = ".ci/config"
SILENCES = ".ci/validate.toml"
POLICY = ".ci/policy.toml"
# Of what is in `.ci`, the files that this program reads.
OWN_FILES = (REPOSITORY_CONFIG, SILENCES, POLICY, ".ci/aur-maintainers")
# Of larger files no content is read: what they ought to hold is never as long.
LARGEST_READ = 4 * 1024**2
# The first that is there counts. As in `caur_ci.update.nvchecker_file`, which is slow to import.
NVCHECKER_FILES = ("nvchecker.toml", ".nvchecker.toml")


@dataclass(frozen=True, slots=True)
class FolderFile:
    """A file as git has it: its mode (`100644`), its size in bytes, where a link leads to."""

    mode: str = "100644"
    size: int = 0
    target: str = ""


@dataclass(frozen=True, slots=True)
class Folder:
    """A package's folder. Paths are below it; `contents` are those of files that are looked into.

    Names hold surrogates where they are not UTF-8.
    """

    name: str
    files: Mapping[str, FolderFile] = field(default_factory=dict)
    contents: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def pkgbuild(self) -> bytes | None:
        """The PKGBUILD, where it is a plain file."""
        return self.contents.get(PKGBUILD)

    @property
    def srcinfo(self) -> bytes | None:
        """The committed `.SRCINFO`, where it is a plain file."""
        return self.contents.get(SRCINFO)

    @property
    def is_empty(self) -> bool:
        """Whether it holds no package, nor says where one would come from."""
        return not {PKGBUILD, SRCINFO, PACKAGE_CONFIG}.intersection(self.files)

    @property
    def top_names(self) -> list[str]:
        """The names of files and folders right in it, sorted."""
        return sorted({path.partition("/")[0] for path in self.files})

    def path(self, file: str) -> str:
        """Return the path below the repository."""
        return f"{self.name}/{file}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The folders of a repository, and its own files by their paths.

    `checked` are the folders that are looked at. Of the others only `.SRCINFO` and `.CI/config` are
    known, for what they say about the checked ones. `has_modes` is whether modes are those that git
    would commit.
    """

    folders: Mapping[str, Folder]
    checked: frozenset[str]
    own: Mapping[str, bytes] = field(default_factory=dict)
    unusable: tuple[str, ...] = ()
    submodules: tuple[str, ...] = ()
    has_modes: bool = True

    def content(self, path: str) -> bytes | None:
        """Return the content of a file by its path below the repository."""
        if path in self.own:
            return self.own[path]
        name, _, file = path.partition("/")
        folder = self.folders.get(name)
        return None if folder is None else folder.contents.get(file)

    def executable(self, path: str) -> bool:
        """Tell whether a file is a program."""
        name, _, file = path.partition("/")
        folder = self.folders.get(name)
        return folder is not None and folder.files.get(file, FolderFile()).mode == "100755"

    def with_file(self, path: str, content: bytes, *, executable: bool) -> Snapshot:
        """Return the snapshot with another file at a path."""
        name, _, file = path.partition("/")
        if name not in self.folders:
            return replace(self, own={**self.own, path: content})
        old = self.folders[name]
        entry = FolderFile("100755" if executable else "100644", len(content))
        new = Folder(name, {**old.files, file: entry}, {**old.contents, file: content})
        return replace(self, folders={**self.folders, name: new})


def is_read(file: str) -> bool:
    """Tell whether the content of a file of a folder is looked into."""
    if "/" not in file:
        return file in {PKGBUILD, SRCINFO} or file.endswith(".install") or file in NVCHECKER_FILES
    return file.startswith(".CI/")


def is_read_of_others(file: str) -> bool:
    """Tell the same for folders that are not checked themselves."""
    return file in {SRCINFO, PKGBUILD, PACKAGE_CONFIG}


def is_own(path: str) -> bool:
    """Tell whether a path below the repository is that of a file about the whole of it."""
    return path.startswith(".ci/")
