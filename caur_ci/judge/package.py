"""The files of a package's folder, as the judge gets them."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from caur_ci.git.trees import EXECUTABLE_MODE, LINK_MODE, SUBMODULE_MODE, files_below
from caur_ci.package_folders import LARGEST_FILE, LARGEST_FOLDER, MOST_FILES, OWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from caur_ci.git import GitRepository
    from caur_ci.git.trees import TreeFile

PKGBUILD = "PKGBUILD"


@dataclass(frozen=True, slots=True)
class File:
    """A file's content, or for a link where it leads to."""

    content: bytes
    executable: bool = False
    link: bool = False


def files_of(files: Mapping[str, File | bytes]) -> dict[str, File]:
    """Return the files that are judged: all but the repository's own."""
    return {
        path: file if isinstance(file, File) else File(file)
        for path, file in files.items()
        if path.partition("/")[0] not in OWN
    }


def files_in_folder(folder: Path) -> dict[str, File]:
    """Read a package's folder from disk; links are not followed.

    Raises InputError where it cannot be read, or has more than a package may have.
    """
    found: dict[str, File] = {}
    size = 0
    try:
        for path in _paths(folder, ""):
            if len(found) >= MOST_FILES:
                raise InputError(f"{folder} has more than {MOST_FILES} files")
            found[path] = _read(folder / path)
            size += len(found[path].content)
            if size > LARGEST_FOLDER:
                raise InputError(f"{folder} has more than {LARGEST_FOLDER:,} bytes")
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror}") from error
    return found


def _paths(folder: Path, prefix: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        if not prefix and entry.name in OWN:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _paths(folder / entry.name, f"{prefix}{entry.name}/")
        elif entry.is_symlink() or entry.is_file(follow_symlinks=False):
            yield f"{prefix}{entry.name}"


def _read(path: Path) -> File:
    if path.is_symlink():
        return File(os.fsencode(path.readlink()), link=True)
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb") as opened:  # noqa: PTH123 - by its handle
        mode = os.fstat(handle).st_mode
        if not stat.S_ISREG(mode):
            raise InputError(f"{path} is no file")
        content = opened.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise InputError(f"{path} has more than {LARGEST_FILE:,} bytes")
    return File(content, executable=bool(mode & stat.S_IXUSR))


def files_of_trees(git: GitRepository, *trees: str) -> list[dict[str, File]]:
    """Read the files of git trees; what all of them have alike is read once.

    Raises InputError for more than a package may have, GitError.
    """
    listings = [_listed(git, tree) for tree in trees]
    wanted = list(dict.fromkeys(file.object_id for listing in listings for file in listing))
    contents = dict(zip(wanted, git.read_blobs(wanted), strict=True)) if wanted else {}
    return [
        {file.path: _file(file, contents[file.object_id]) for file in listing}
        for listing in listings
    ]


def _file(file: TreeFile, content: bytes | None) -> File:
    if file.mode == SUBMODULE_MODE:
        # Other files that are not here: it is judged as what leads elsewhere.
        return File(file.object_id.encode(), link=True)
    executable, link = file.mode == EXECUTABLE_MODE, file.mode == LINK_MODE
    return File(content or b"", executable=executable, link=link)


def _listed(git: GitRepository, tree: str) -> list[TreeFile]:
    files = [file for file in files_below(git, tree) if file.path.partition("/")[0] not in OWN]
    if len(files) > MOST_FILES:
        raise InputError(f"the folder has more than {MOST_FILES} files")
    for file in files:
        if file.size > LARGEST_FILE:
            raise InputError(f"{file.path!a} has more than {LARGEST_FILE:,} bytes")
    if sum(file.size for file in files) > LARGEST_FOLDER:
        raise InputError(f"the folder has more than {LARGEST_FOLDER:,} bytes")
    return files
