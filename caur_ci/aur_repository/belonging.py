"""Which files of a package's folder belong in its repository at the AUR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from caur_ci.git import TreeEntry
from caur_ci.git.repository import FILE_MODE
from caur_ci.git.trees import TreeFile, files_below, write_files
from caur_ci.package_folders import OWN
from caur_ci.pkgbuild.compare import read_sections
from caur_ci.srcinfo import SRCINFO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from caur_ci.git import GitRepository

PKGBUILD = "PKGBUILD"
KEYS, LICENSES = "keys", "LICENSES"
# With the recipe: what follows new versions, what people read there, and under which licence it is.
_COMPANIONS = frozenset({".nvchecker.toml", "LICENSE", "README", "README.md", "REUSE.toml"})
# What the AUR's repository may have for itself: it is neither pushed nor removed.
LEFT_THERE = frozenset({".gitignore"})


@dataclass(frozen=True, slots=True)
class PackageFiles:
    """The files that belong there, by path, as a tree; `left_out` are the paths of the others."""

    tree: str
    files: tuple[TreeFile, ...]
    left_out: tuple[str, ...]


def files_that_belong(git: GitRepository, folder: str, srcinfo: bytes | None) -> PackageFiles:
    """Return those of the tree `folder`, whose `.SRCINFO` may be one that was generated.

    Raises UnsafeTreeError for a folder with too many files.
    """
    found = {file.path: file for file in files_below(git, folder) if not _is_own(file.path)}
    if srcinfo is not None and SRCINFO not in found:
        blob = git.write_blob(srcinfo)
        found[SRCINFO] = TreeFile(FILE_MODE, blob, SRCINFO, len(srcinfo))
    belonging = paths_that_belong(found, srcinfo)
    chosen = tuple(found[path] for path in belonging)
    left_out = tuple(sorted(found.keys() - {*belonging}))
    tree = write_files(git, [TreeEntry(it.mode, it.object_id, it.path) for it in chosen])
    return PackageFiles(tree, chosen, left_out)


def paths_that_belong(paths: Iterable[str], srcinfo: bytes | None) -> list[str]:
    """Return those of a folder's paths that belong there, sorted."""
    named = set(_named_files(srcinfo or b""))
    return sorted(path for path in paths if _belongs(path, named) and not _is_own(path))


def _named_files(srcinfo: bytes) -> Iterator[str]:
    """Yield the files that a `.SRCINFO` says are beside it; nothing of one that cannot be read."""
    try:
        sections = read_sections(srcinfo)
    except InputError:
        return
    for section in sections:
        for field, values in section.fields:
            if field in {"install", "changelog"}:
                yield from values
            elif is_source(field):
                yield from filter(is_local, values)


def is_source(field: str) -> bool:
    """Tell whether a field of a `.SRCINFO` lists sources."""
    return field == "source" or field.startswith("source_")


def is_local(source: str) -> bool:
    """Tell whether the AUR looks for a source in the repository itself."""
    return bool(source) and "://" not in source and "lp:" not in source


def without_left_there(git: GitRepository, tree: str) -> str:
    """Return a tree of the AUR, or a commit's, without what it may have for itself."""
    return git.write_tree(entry for entry in git.entries(tree) if entry.name not in LEFT_THERE)


def with_left_there(git: GitRepository, tree: str, there: str) -> str:
    """Return our `tree` with what the tree `there`, of the AUR, has for itself."""
    return git.write_tree([*git.entries(tree), *_left_there(git.entries(there))])


def _left_there(entries: Sequence[TreeEntry]) -> Iterable[TreeEntry]:
    return (entry for entry in entries if entry.name in LEFT_THERE)


def _is_own(path: str) -> bool:
    return path.partition("/")[0] in OWN


def _belongs(path: str, named: set[str]) -> bool:
    if path in named or path in _COMPANIONS or path in {PKGBUILD, SRCINFO}:
        return True
    top, _, below = path.partition("/")
    return (top == LICENSES and bool(below)) or is_key(path)


def is_key(path: str) -> bool:
    """Tell whether the file is a public PGP key, at the place that makepkg has for it."""
    folder, _, name = path.rpartition("/")
    return folder == f"{KEYS}/pgp" and name.endswith(".asc")
