"""Takes a folder on disk, which something else has written to, into git.

Whoever wrote may still be there, so every file is opened without following links and read once.
`git add` is not used: what the folder holds could change how it reads the other files.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.git.repository import FILE_MODE, TreeEntry
from caur_ci.git.trees import EXECUTABLE_MODE, LINK_MODE, UnsafeTreeError, write_files

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from caur_ci.git.repository import GitRepository

# Of everything that lies around, also what is left out in the end.
_MAX_FOUND = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is taken in: files, bytes of each, and of all together."""

    files: int
    file_size: int
    folder_size: int


def import_folder(
    git: GitRepository, folder: Path, *, known: Collection[str], limits: Limits
) -> str:
    """Return the tree that the content of `folder` is.

    `.git` at its top is left out, and so is what `.gitignore` files in it, and in the folder that
    it lies in, name, unless it is one of the `known` paths. Names and links are not judged here.
    Raises UnsafeTreeError for what is no file, link or folder, and for more than `limits` allow.
    """
    try:
        found = list(_paths(folder))
    except OSError as error:
        raise UnsafeTreeError(f"it cannot be read: {error.strerror}") from error
    strange = [path for path in found if path not in known]
    ignored = _ignored(git, folder, strange) if strange else frozenset()
    paths = [path for path in found if path not in ignored]
    if len(paths) > limits.files:
        raise UnsafeTreeError(f"it has {len(paths)} files; {limits.files} are allowed")
    files: dict[str, tuple[str, bytes]] = {}
    left = limits.folder_size
    for path in paths:
        mode, content = _read(folder, path, limits.file_size)
        files[path] = mode, content
        left -= len(content)
        if left < 0:
            raise UnsafeTreeError(f"its files have more than {limits.folder_size} bytes")
    ids = git.write_blobs([content for _, content in files.values()])
    blobs = (
        TreeEntry(mode, blob, path)
        for (path, (mode, _)), blob in zip(files.items(), ids, strict=True)
    )
    return write_files(git, blobs)


def _paths(folder: Path) -> Iterator[str]:
    """Yield the paths of everything that is no folder; `.git` at the top is not looked into."""
    count = 0
    for parent, folders, names, descriptor in os.fwalk(folder, onerror=_raise):
        below = os.path.relpath(parent, folder)
        top = below == os.curdir
        if top and ".git" in folders:
            folders.remove(".git")
        links = [name for name in folders if _is_link(name, descriptor)]
        for name in (*names, *links):
            count += 1
            if count > _MAX_FOUND:
                raise UnsafeTreeError(f"it has more than {_MAX_FOUND} files")
            if not (top and name == ".git"):
                yield name if top else f"{below}/{name}"


def _raise(error: OSError) -> None:
    raise error  # a folder that is overlooked would be gone from the package


def _is_link(name: str, descriptor: int) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode)
    except OSError:
        return False  # gone already


def _ignored(git: GitRepository, folder: Path, paths: Iterable[str]) -> frozenset[str]:
    request = "".join(f"./{path}\0" for path in paths)
    place = (
        git.git("rev-parse", "--absolute-git-dir").rstrip(b"\n").decode(errors="surrogateescape")
    )
    output = git.git(
        *("-C", str(folder), "-c", f"core.excludesFile={os.devnull}", "-c", "core.fsmonitor=false"),
        *(f"--git-dir={place}", f"--work-tree={folder.parent}"),
        *("check-ignore", "--no-index", "-z", "--stdin"),
        stdin=request.encode("utf-8", "surrogateescape"),
        allowed=(0, 1),
    )
    answer = output.decode("utf-8", "surrogateescape")
    return frozenset(path.removeprefix("./") for path in answer.split("\0") if path)


def _read(folder: Path, path: str, limit: int) -> tuple[str, bytes]:
    *parents, name = path.split("/")
    try:
        descriptor = _open_folder(folder, parents)
        try:
            kind = os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode
            if stat.S_ISLNK(kind):
                return LINK_MODE, os.fsencode(os.readlink(name, dir_fd=descriptor))
            return _read_file(name, descriptor, path, limit)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise UnsafeTreeError(f"{path!a} cannot be read: {error.strerror}") from error


def _open_folder(folder: Path, parents: Iterable[str]) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(folder, flags)
    for name in parents:
        outer = descriptor
        try:
            descriptor = os.open(name, flags, dir_fd=outer)
        finally:
            os.close(outer)
    return descriptor


def _read_file(name: str, parent: int, path: str, limit: int) -> tuple[str, bytes]:
    # Without O_NONBLOCK a pipe would keep us waiting for somebody to write to it.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with open(os.open(name, flags, dir_fd=parent), "rb") as file:  # noqa: PTH123 - a descriptor
        permissions = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(permissions):
            raise UnsafeTreeError(f"{path!a} is no ordinary file")
        content = file.read(limit + 1)
    if len(content) > limit:
        raise UnsafeTreeError(f"{path!a} has more than {limit} bytes")
    return (EXECUTABLE_MODE if permissions & stat.S_IXUSR else FILE_MODE), content
