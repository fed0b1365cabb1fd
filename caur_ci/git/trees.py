"""What a git tree holds, and whether it can be trusted to stay inside its folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.errors import GitError, InputError
from caur_ci.git.repository import TREE_MODE, TreeEntry
from caur_ci.process import OutputTooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caur_ci.git.repository import GitRepository

LINK_MODE = "120000"
SUBMODULE_MODE = "160000"
EXECUTABLE_MODE = "100755"
# Far above what any package has.
MAX_LISTED = 50_000
_LARGEST_LISTING = 16 * 1024**2
_TOO_MANY = f"it has more than {MAX_LISTED} files, or paths without an end"


class UnsafeTreeError(InputError):
    """A folder in a repository holds something that is not written to disk or taken over."""


@dataclass(frozen=True, slots=True)
class TreeFile:
    """A file, link or submodule somewhere below a tree. `path` holds surrogates where it is not
    UTF-8; `size` is in bytes, 0 for a submodule.
    """

    mode: str
    object_id: str
    path: str
    size: int


def files_below(git: GitRepository, tree: str) -> list[TreeFile]:
    """Return everything in `tree` that is no folder.

    Few trees can unfold to any number of files: the listing ends before there is no memory left.
    Raises UnsafeTreeError then, and GitError.
    """
    files: list[TreeFile] = []
    for record in _listing(git, tree).split(b"\0"):
        if len(files) > MAX_LISTED:
            raise UnsafeTreeError(_TOO_MANY)
        if record:
            head, _, path = record.decode("utf-8", "surrogateescape").partition("\t")
            mode, _, object_id, size = head.split()
            files.append(TreeFile(mode, object_id, path, int(size) if size != "-" else 0))
    return files


def _listing(git: GitRepository, tree: str) -> bytes:
    command = ("ls-tree", "-r", "-l", "-z", "--full-tree", tree)
    try:
        return git.git(*command, largest_output=_LARGEST_LISTING)
    except GitError as error:
        if isinstance(error.__cause__, OutputTooLargeError):
            raise UnsafeTreeError(_TOO_MANY) from error
        raise


def write_files(git: GitRepository, files: Iterable[TreeEntry]) -> str:
    """Store files with whole paths as trees within each other, and return the outermost."""
    here: list[TreeEntry] = []
    folders: dict[str, list[TreeEntry]] = {}
    for file in files:
        first, slash, rest = file.name.partition("/")
        if slash:
            folders.setdefault(first, []).append(TreeEntry(file.mode, file.object_id, rest))
        else:
            here.append(file)
    for name, inner in folders.items():
        here.append(TreeEntry(TREE_MODE, write_files(git, inner), name))
    return git.write_tree(here)


def check_files(git: GitRepository, files: Iterable[TreeFile]) -> None:
    """Raise UnsafeTreeError for submodules, and for names and links that lead out of the folder."""
    files = list(files)
    for file in files:
        _check_path(file)
    links = [file for file in files if file.mode == LINK_MODE]
    targets = git.read_blobs([link.object_id for link in links]) if links else ()
    for link, target in zip(links, targets, strict=True):
        if not stays_inside(target or b"/", depth=link.path.count("/")):
            raise UnsafeTreeError(
                f"{link.path!a} is a link to {(target or b'').decode(errors='replace')!a}, "
                "outside of the package's folder"
            )


def stays_inside(target: bytes, *, depth: int) -> bool:
    """Tell whether a link with this target, `depth` folders down, stays inside the top folder."""
    parts = target.split(b"/")
    steps_up = 0
    while steps_up < len(parts) and parts[steps_up] == b"..":
        steps_up += 1
    # Behind another link, a later ".." may lead elsewhere than it reads.
    return not target.startswith(b"/") and steps_up <= depth and b".." not in parts[steps_up:]


def _check_path(file: TreeFile) -> None:
    if file.mode == SUBMODULE_MODE:
        raise UnsafeTreeError(f"{file.path!a} is a submodule, which a package cannot have")
    parts = file.path.split("/")
    if any(part in {"", ".", ".."} or part.lower() == ".git" for part in parts):
        raise UnsafeTreeError(f"{file.path!a} is no path inside the folder")
