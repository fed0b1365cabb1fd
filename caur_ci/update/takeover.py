"""Takes the files of a package over from elsewhere, leaving alone what is the repository's own.

Nothing is written to disk: the new folder is a git tree made of entries that are there already.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from caur_ci.git.trees import TreeFile, UnsafeTreeError, check_files, files_below

if TYPE_CHECKING:
    from collections.abc import Collection

    from caur_ci.git import GitRepository, TreeEntry

# The repository's own, whatever the source has under these names.
KEPT = frozenset({".CI", ".git", ".gitignore"})
MAX_FILES = 2000
MAX_FILE_SIZE = 16 * 1024**2
MAX_FOLDER_SIZE = 64 * 1024**2
_MAX_NAME, _MAX_PATH = 255, 1024
NEEDED = ("PKGBUILD", ".SRCINFO")
# Control characters, those that change the direction of text, and halves of characters.
_HOSTILE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def take_over(
    git: GitRepository, *, source: str, own: str | None, needed: Collection[str] = NEEDED
) -> str:
    """Return the tree of a package folder with the files of `source`, a tree or commit.

    `own` is the tree of the folder as it is, None for a new one. What is in `KEPT` stays as it is
    there. Raises UnsafeTreeError where anything in `source` cannot be taken over, or one of the
    `needed` files is not in it: then nothing is.
    """
    taken = [entry for entry in git.entries(source) if entry.name not in KEPT]
    _check_needed(taken, needed)
    check_contents(git, source, without=KEPT)
    kept = [entry for entry in git.entries(own) if entry.name in KEPT] if own else []
    return git.write_tree([*taken, *kept])


def _check_needed(entries: list[TreeEntry], needed: Collection[str]) -> None:
    names = {entry.name for entry in entries if not entry.is_folder}
    missing = [name for name in needed if name not in names]
    if missing:
        raise UnsafeTreeError(f"there is no {' and no '.join(missing)} in it")


def check_contents(git: GitRepository, source: str, *, without: Collection[str] = ()) -> None:
    """Raise UnsafeTreeError for what a package's folder cannot hold, leaving out some top names."""
    files = [file for file in files_below(git, source) if file.path.split("/")[0] not in without]
    check_files(git, files)
    if len(files) > MAX_FILES:
        raise UnsafeTreeError(f"it has {len(files)} files; {MAX_FILES} are allowed")
    for file in files:
        _check_name(file)
        if file.size > MAX_FILE_SIZE:
            raise UnsafeTreeError(
                f"{file.path!a} has {file.size} bytes; {MAX_FILE_SIZE} are allowed"
            )
    size = sum(file.size for file in files)
    if size > MAX_FOLDER_SIZE:
        raise UnsafeTreeError(f"it has {size} bytes; {MAX_FOLDER_SIZE} are allowed")


def _check_name(file: TreeFile) -> None:
    if len(file.path.encode(errors="replace")) > _MAX_PATH:
        raise UnsafeTreeError(f"{file.path[:100]!a}… is longer than {_MAX_PATH} bytes")
    for part in file.path.split("/"):
        # A leading dash is an option to many programs, a backslash a separator to some.
        hostile = (
            part.startswith("-") or "\\" in part or len(part.encode(errors="replace")) > _MAX_NAME
        )
        if hostile or any(unicodedata.category(char) in _HOSTILE_CATEGORIES for char in part):
            raise UnsafeTreeError(f"{file.path!a} is not a name that a package should have")
