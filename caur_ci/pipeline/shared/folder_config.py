"""Changes the `.CI/config` of a package folder, as git objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.config import PackageConfig
from caur_ci.errors import InputError
from caur_ci.git import TreeEntry
from caur_ci.git.repository import FILE_MODE, TREE_MODE
from caur_ci.git.trees import EXECUTABLE_MODE
from caur_ci.triggers.bumping import with_bump

if TYPE_CHECKING:
    from caur_ci.config import Bump
    from caur_ci.git import GitRepository

_FOLDER, _, _FILE = PackageConfig.FILE.partition("/")


def with_bump_in(git: GitRepository, tree: str, package: str, bump: Bump) -> str:
    """Return the folder `tree` with a bump in its configuration.

    Raises InputError and ConfigError for a configuration that cannot be written.
    """
    top = {entry.name: entry for entry in git.entries(tree)}
    folder = top.get(_FOLDER)
    if folder is not None and not folder.is_folder:
        raise InputError(f"{package}/{_FOLDER} is no folder")
    inner = {it.name: it for it in git.entries(folder.object_id)} if folder else {}
    file = inner.get(_FILE)
    if file is not None and file.mode not in {FILE_MODE, EXECUTABLE_MODE}:
        raise InputError(f"{package}/{PackageConfig.FILE} is no plain file")
    (content,) = git.read_blobs([file.object_id]) if file else (b"",)
    changed = with_bump(content or b"", bump, origin=f"{package}/{PackageConfig.FILE}")
    blob = git.write_blob(changed)
    inner[_FILE] = TreeEntry(file.mode if file else FILE_MODE, blob, _FILE)
    top[_FOLDER] = TreeEntry(TREE_MODE, git.write_tree(inner.values()), _FOLDER)
    return git.write_tree(top.values())
