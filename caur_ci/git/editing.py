"""Trees with other files in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from caur_ci.git.repository import FILE_MODE, TREE_MODE, TreeEntry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caur_ci.git.repository import GitRepository


def with_files(git: GitRepository, tree: str, files: Mapping[str, bytes | None]) -> str:
    """Return `tree` with files written or, for None, removed, by their paths.

    A file that is there keeps its mode. Folders that have nothing left go. Raises InputError where
    a file is to be where a folder is, or the other way round.
    """
    there = {entry.name: entry for entry in git.entries(tree)} if tree else {}
    below: dict[str, dict[str, bytes | None]] = {}
    for path, content in files.items():
        name, slash, rest = path.partition("/")
        old = there.get(name)
        if old is not None and old.is_folder != bool(slash):
            raise InputError(f"{name} is {'a folder' if old.is_folder else 'no folder'}")
        if slash:
            below.setdefault(name, {})[rest] = content
        elif content is None:
            there.pop(name, None)
        else:
            mode = old.mode if old is not None else FILE_MODE
            there[name] = TreeEntry(mode, git.write_blob(content), name)
    for name, inner in below.items():
        old = there.pop(name, None)
        changed = with_files(git, old.object_id if old is not None else "", inner)
        if git.entries(changed):
            there[name] = TreeEntry(TREE_MODE, changed, name)
    return git.write_tree(there.values())
