"""Writes a folder of a commit to disk, byte for byte as git stores it, and proves it.

`git archive` and `git checkout` are not used: both let `.gitattributes` change what is written.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError

if TYPE_CHECKING:
    from pathlib import Path

    from caur_ci.git import GitRepository

_LINK_MODE = "120000"
_SUBMODULE_MODE = "160000"
_EXECUTABLE_MODE = "100755"


class UnsafeTreeError(CaurError):
    """A folder in the source repository holds something that is not written to disk."""


@dataclass(frozen=True, slots=True)
class _Entry:
    mode: str
    object_id: str
    path: str


def export_tree(repository: GitRepository, tree: str, destination: Path) -> None:
    """Write the content of `tree` into the new folder `destination`.

    Raises UnsafeTreeError when the tree holds a submodule, a link or a name that leads out of the
    folder, or when what is on disk afterwards is not that very tree.
    """
    entries = _entries(repository, tree)
    contents = list(repository.read_blobs([entry.object_id for entry in entries]))
    for entry, content in zip(entries, contents, strict=True):
        _check(entry, content)
    destination.mkdir()
    for entry, content in zip(entries, contents, strict=True):
        _write(destination, entry, content or b"")
    written = tree_id(destination, algorithm="sha256" if len(tree) == 64 else "sha1")
    if written != tree:
        raise UnsafeTreeError(f"what was written is tree {written}, not {tree}")


def tree_id(folder: Path, *, algorithm: str = "sha1") -> str:
    """Return the id that git gives to the content of `folder`."""
    return _tree_digest(folder, algorithm).hex()


def _entries(repository: GitRepository, tree: str) -> list[_Entry]:
    entries = []
    for record in repository.git("ls-tree", "-r", "-z", "--full-tree", tree).split(b"\0"):
        if record:
            head, _, path = record.decode("utf-8", "surrogateescape").partition("\t")
            mode, _, object_id = head.split(" ")
            entries.append(_Entry(mode, object_id, path))
    return entries


def _check(entry: _Entry, content: bytes | None) -> None:
    shown = ascii(entry.path)
    if entry.mode == _SUBMODULE_MODE:
        raise UnsafeTreeError(f"{shown} is a submodule; those are not built")
    parts = entry.path.split("/")
    if any(part in {"", ".", ".."} or part.lower() == ".git" for part in parts):
        raise UnsafeTreeError(f"{shown} is no path inside the folder")
    if content is None:
        raise UnsafeTreeError(f"{shown}: its content {entry.object_id} is missing")
    if entry.mode == _LINK_MODE and not _stays_inside(content, depth=len(parts) - 1):
        raise UnsafeTreeError(
            f"{shown} is a link to {content.decode(errors='replace')!a}, "
            "outside of the package's folder"
        )


def _stays_inside(target: bytes, *, depth: int) -> bool:
    parts = target.split(b"/")
    steps_up = 0
    while steps_up < len(parts) and parts[steps_up] == b"..":
        steps_up += 1
    # Behind another link, a later ".." may lead elsewhere than it reads.
    return not target.startswith(b"/") and steps_up <= depth and b".." not in parts[steps_up:]


def _write(destination: Path, entry: _Entry, content: bytes) -> None:
    path = destination / PurePosixPath(entry.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if entry.mode == _LINK_MODE:
        os.symlink(content, os.fsencode(path))  # noqa: PTH211 - a Path would tidy the target
        return
    permissions = 0o755 if entry.mode == _EXECUTABLE_MODE else 0o644
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(path, flags, permissions), "wb") as file:  # noqa: PTH123 - flags needed
        os.fchmod(file.fileno(), permissions)
        file.write(content)


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
        return _LINK_MODE.encode(), os.fsencode(target)
    with open(item.path, "rb") as file:  # noqa: PTH123 - a DirEntry
        executable = os.fstat(file.fileno()).st_mode & stat.S_IXUSR
        return (b"100755" if executable else b"100644"), file.read()


def _object_digest(kind: bytes, body: bytes, algorithm: str) -> bytes:
    # Git's own object hash; SHA-1 repositories are most of them.
    digest = hashlib.new(algorithm, b"%s %d\0" % (kind, len(body)), usedforsecurity=False)
    digest.update(body)
    return digest.digest()
