"""Takes the files of a package over from elsewhere, leaving alone what is the repository's own.

Nothing is written to disk: the new folder is a git tree made of entries that are there already.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from caur_ci.git.trees import TreeFile, UnsafeTreeError, check_files, files_below
from caur_ci.package_folders import LARGEST_FILE, LARGEST_FOLDER, MOST_FILES, OWN
from caur_ci.srcinfo import SRCINFO

if TYPE_CHECKING:
    from collections.abc import Collection

    from caur_ci.git import GitRepository, TreeEntry

_MAX_NAME, _MAX_PATH = 255, 1024
NEEDED = ("PKGBUILD", SRCINFO)
# Control characters, those that change the direction of text, and halves of characters.
_HOSTILE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def take_over(
    git: GitRepository, *, source: str, own: str | None, needed: Collection[str] = NEEDED
) -> str:
    """Return the tree of a package folder with the files of `source`, a tree or commit.

    `own` is the tree of the folder as it is, None for a new one. What is in `OWN` stays as it is
    there. Raises UnsafeTreeError where anything in `source` cannot be taken over, or one of the
    `needed` files is not in it: then nothing is.
    """
    taken = [entry for entry in git.entries(source) if entry.name not in OWN]
    _check_needed(taken, needed)
    check_contents(git, source, without=OWN)
    kept = [entry for entry in git.entries(own) if entry.name in OWN] if own else []
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
    if len(files) > MOST_FILES:
        raise UnsafeTreeError(f"it has {len(files)} files; {MOST_FILES} are allowed")
    for file in files:
        _check_name(file)
        if file.size > LARGEST_FILE:
            raise UnsafeTreeError(
                f"{file.path!a} has {file.size} bytes; {LARGEST_FILE} are allowed"
            )
    size = sum(file.size for file in files)
    if size > LARGEST_FOLDER:
        raise UnsafeTreeError(f"it has {size} bytes; {LARGEST_FOLDER} are allowed")


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
