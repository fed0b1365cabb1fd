"""Reads the state of a repository that is to be validated: from disk, or at a commit."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from caur_ci.git.trees import EXECUTABLE_MODE, LINK_MODE, SUBMODULE_MODE
from caur_ci.names import is_package_name
from caur_ci.package_folders import read_regular
from caur_ci.validation.snapshot import (
    LARGEST_READ,
    Folder,
    FolderFile,
    Snapshot,
    is_own,
    is_read,
    is_read_of_others,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from caur_ci.git import GitRepository

_FILE_MODE = "100644"
# Some hundred bytes for each file of a repository.
_LARGEST_LISTING = 1024**3
_BLOBS_AT_ONCE = 2_000

# By path below the repository.
_Files = dict[str, FolderFile]


def working_snapshot(git: GitRepository, checked: Collection[str] | None = None) -> Snapshot:
    """Return what is on disk: what git has, and what it would take up.

    `checked` are the folders to be looked at, None for all. Raises GitError.
    """
    root = git.folder
    files, submodules = _on_disk(root, _listed(git))
    has_modes = git.git("config", "--type=bool", "core.fileMode", allowed=(0, 1)) != b"false\n"

    def contents(paths: Iterable[str]) -> Iterator[tuple[str, bytes | None]]:
        for path in paths:
            yield path, read_regular(f"{root}/{path}")

    return _snapshot(files, submodules, checked, contents, has_modes=has_modes)


def committed_snapshot(
    git: GitRepository,
    commit: str,
    checked: Collection[str] | None = None,
    *,
    alone: bool = False,
) -> Snapshot:
    """Return the state at a commit; as `working_snapshot`. Raises GitError.

    `alone` leaves all other folders out, as if there were none.
    """
    only = [f"{name}/" for name in (*(checked or ()), ".ci")] if alone else []
    output = git.git(
        *("ls-tree", "-r", "-l", "-z", "--full-tree", commit, "--", *only),
        largest_output=_LARGEST_LISTING,
    )
    files: _Files = {}
    ids: dict[str, str] = {}
    submodules: list[str] = []
    for record in output.decode("utf-8", "surrogateescape").split("\0"):
        head, _, path = record.partition("\t")
        if not path:
            continue
        mode, _, object_id, size = head.split()
        if mode == SUBMODULE_MODE and "/" not in path:
            submodules.append(path)
        elif "/" in path:
            ids[path] = object_id
            files[path] = FolderFile(mode, int(size) if size != "-" else 0)

    def contents(paths: Iterable[str]) -> Iterator[tuple[str, bytes | None]]:
        return _blobs(git, {path: ids[path] for path in paths})

    links = {path: ids[path] for path, file in files.items() if file.mode == LINK_MODE}
    for path, target in _blobs(git, links):
        files[path] = FolderFile(LINK_MODE, 0, os.fsdecode(target or b""))
    return _snapshot(files, submodules, checked, contents, has_modes=True)


def _blobs(git: GitRepository, ids: Mapping[str, str]) -> Iterator[tuple[str, bytes | None]]:
    paths = list(ids)
    for start in range(0, len(paths), _BLOBS_AT_ONCE):
        part = paths[start : start + _BLOBS_AT_ONCE]
        yield from zip(part, git.read_blobs([ids[path] for path in part]), strict=True)


def _listed(git: GitRepository) -> list[str]:
    output = git.git(
        *("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--full-name"),
        largest_output=_LARGEST_LISTING,
    )
    return list(dict.fromkeys(output.decode("utf-8", "surrogateescape").split("\0")))


def _on_disk(root: Path, paths: Iterable[str]) -> tuple[_Files, list[str]]:
    files: _Files = {}
    submodules: list[str] = []
    for listed in paths:
        path = listed.rstrip("/")
        try:
            status = os.lstat(f"{root}/{path}")
        except (OSError, ValueError):
            continue  # deleted, and not yet told to git
        if stat.S_ISDIR(status.st_mode):
            if path and "/" not in path:
                submodules.append(path)
            elif path:
                files[path] = FolderFile(SUBMODULE_MODE)
        elif "/" in path:
            files[path] = _file_on_disk(f"{root}/{path}", status)
    return files, submodules


def _file_on_disk(path: str, status: os.stat_result) -> FolderFile:
    if stat.S_ISLNK(status.st_mode):
        try:
            return FolderFile(LINK_MODE, 0, os.readlink(path))  # noqa: PTH115 - may be no UTF-8
        except OSError:
            return FolderFile(LINK_MODE)
    mode = EXECUTABLE_MODE if status.st_mode & stat.S_IXUSR else _FILE_MODE
    return FolderFile(mode, status.st_size)


def _snapshot(
    files: _Files,
    submodules: Iterable[str],
    checked: Collection[str] | None,
    contents: Callable[[Iterable[str]], Iterable[tuple[str, bytes | None]]],
    *,
    has_modes: bool,
) -> Snapshot:
    listed: dict[str, _Files] = {}
    for path, file in files.items():
        name, _, below = path.partition("/")
        if not name.startswith("."):
            listed.setdefault(name, {})[below] = file
    usable = {name for name in listed if is_package_name(name)}
    looked_at = usable if checked is None else usable.intersection(checked)
    wanted = [path for path, file in files.items() if _has_content(file, path, is_own)]
    for name in usable:
        reads = is_read if name in looked_at else is_read_of_others
        wanted += [
            f"{name}/{file}"
            for file, entry in listed[name].items()
            if _has_content(entry, file, reads)
        ]
    found = {path: data for path, data in contents(wanted) if data is not None}
    by_folder: dict[str, dict[str, bytes]] = {name: {} for name in usable}
    own: dict[str, bytes] = {}
    for path, data in found.items():
        name, _, below = path.partition("/")
        if name in by_folder:
            by_folder[name][below] = data
        else:
            own[path] = data
    return Snapshot(
        folders={name: Folder(name, listed[name], by_folder[name]) for name in sorted(usable)},
        checked=frozenset(looked_at),
        own=own,
        unusable=tuple(sorted(name for name in listed if name not in usable)),
        submodules=tuple(sorted(name for name in submodules if not name.startswith("."))),
        has_modes=has_modes,
    )


def _has_content(entry: FolderFile, file: str, reads: Callable[[str], bool]) -> bool:
    return (
        entry.mode in {_FILE_MODE, EXECUTABLE_MODE} and entry.size <= LARGEST_READ and reads(file)
    )
