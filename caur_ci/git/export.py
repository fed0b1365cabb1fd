"""Writes a folder of a commit to disk, byte for byte as git stores it, and proves it.

`git archive` and `git checkout` are not used: both let `.gitattributes` change what is written.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from caur_ci.git.trees import (
    EXECUTABLE_MODE,
    LINK_MODE,
    TreeFile,
    UnsafeTreeError,
    check_files,
    files_below,
)

if TYPE_CHECKING:
    from pathlib import Path

    from caur_ci.git import GitRepository


def export_tree(repository: GitRepository, tree: str, destination: Path) -> None:
    """Write the content of `tree` into the new folder `destination`.

    Raises UnsafeTreeError when the tree holds a submodule, a link or a name that leads out of the
    folder, or when what is on disk afterwards is not that very tree.
    """
    files = files_below(repository, tree)
    check_files(repository, files)
    destination.mkdir()
    contents = repository.read_blobs([file.object_id for file in files])
    for file, content in zip(files, contents, strict=True):
        if content is None:
            raise UnsafeTreeError(f"{file.path!a}: its content {file.object_id} is missing")
        _write(destination, file, content)
    written = tree_id(destination, algorithm="sha256" if len(tree) == 64 else "sha1")
    if written != tree:
        raise UnsafeTreeError(f"what was written is tree {written}, not {tree}")


def tree_id(folder: Path, *, algorithm: str = "sha1") -> str:
    """Return the id that git gives to the content of `folder`."""
    return _tree_digest(folder, algorithm).hex()


def _write(destination: Path, file: TreeFile, content: bytes) -> None:
    path = destination / PurePosixPath(file.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if file.mode == LINK_MODE:
        os.symlink(content, os.fsencode(path))  # noqa: PTH211 - a Path would tidy the target
        return
    permissions = 0o755 if file.mode == EXECUTABLE_MODE else 0o644
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(path, flags, permissions), "wb") as stream:  # noqa: PTH123 - flags
        os.fchmod(stream.fileno(), permissions)
        stream.write(content)


def _tree_digest(folder: Path, algorithm: str) -> bytes:
    records = []
    with os.scandir(folder) as found:
        for item in found:
            name = os.fsencode(item.name)
            if item.is_dir(follow_symlinks=False):
                digest = _tree_digest(folder / item.name, algorithm)
                records.append((name + b"/", b"40000 " + name + b"\0" + digest))
                continue
            mode, content = _file_of(item)
            digest = _object_digest(b"blob", content, algorithm)
            records.append((name, mode + b" " + name + b"\0" + digest))
    # Git sorts a folder as if its name ended in a slash.
    body = b"".join(record for _, record in sorted(records))
    return _object_digest(b"tree", body, algorithm)


def _file_of(item: os.DirEntry[str]) -> tuple[bytes, bytes]:
    if item.is_symlink():
        target = os.readlink(item.path)  # noqa: PTH115 - a Path would tidy the target
        return LINK_MODE.encode(), os.fsencode(target)
    with open(item.path, "rb") as file:  # noqa: PTH123 - a DirEntry
        executable = os.fstat(file.fileno()).st_mode & stat.S_IXUSR
        return (b"100755" if executable else b"100644"), file.read()


def _object_digest(kind: bytes, body: bytes, algorithm: str) -> bytes:
    # Git's own object hash; SHA-1 repositories are most of them.
    digest = hashlib.new(algorithm, b"%s %d\0" % (kind, len(body)), usedforsecurity=False)
    digest.update(body)
    return digest.digest()
