"""Which part of a repository is validated."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from caur_ci.names import is_package_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caur_ci.git import GitRepository

# What only looks must not write the index anew.
_LOOKING = {"GIT_OPTIONAL_LOCKS": "0"}
_OWN = ".ci"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is looked at: `packages`, all where None; `with_repository` its own files as well.

    `commit` is the state that is read, None for the files on disk. `is_named`: somebody has named
    the packages, so they ought to be there.
    """

    packages: frozenset[str] | None = None
    with_repository: bool = True
    commit: str | None = None
    is_named: bool = False


def everything(commit: str | None = None) -> Scope:
    """Return the scope of a whole repository."""
    return Scope(commit=commit)


def named(git: GitRepository, names: Iterable[str], commit: str | None = None) -> Scope:
    """Return the scope of packages and files, as pre-commit and people name them.

    A file stands for the folder that it is in; one outside of all folders stands for nothing, but
    `.ci/…` for what the repository says of itself. Raises InputError for what is not there.
    """
    packages: set[str] = set()
    own = False
    for name in names:
        top = _top(git.folder, name)
        if top == _OWN:
            own = True
        elif top and not top.startswith("."):
            packages.add(top)
    return Scope(packages=frozenset(packages), with_repository=own, commit=commit, is_named=True)


def _top(root: Path, name: str) -> str:
    """Return the first part of a name's path below the repository; nothing for a file there."""
    path = Path(os.path.abspath(name))  # noqa: PTH100 - links are not followed
    try:
        parts = path.relative_to(root.absolute()).parts if os.path.lexists(path) else ()
    except ValueError:
        raise InputError(f"{name} is not in {root}") from None
    if len(parts) > 1 or (parts and path.is_dir()):
        return parts[0]
    if parts:
        return ""
    # No path from here: a folder by its name, from wherever in the repository.
    return name.strip("/").partition("/")[0]


def changed_in(git: GitRepository, text: str, *, on_disk: bool = False) -> Scope:
    """Return what a range `A..B` or `A...B` touches, at B (or HEAD), or as it is on disk.

    Raises InputError for what is no range, GitError for commits that are not there.
    """
    old, dots, new = text.partition("..")
    from_base = new.startswith(".")
    if not old or not dots:
        raise InputError(
            f"{text!r} is no range of commits", hint="Write A..B, or A...B from where B began."
        )
    start, end = git.commit_id(old), git.commit_id(new.removeprefix(".") or "HEAD")
    if from_base:
        start = git.git("merge-base", start, end).decode().strip()
    return _touched((it.name for it in git.changes(start, end)), None if on_disk else end, git)


def changed_on_disk(git: GitRepository) -> Scope:
    """Return what differs from the last commit, with files that git does not know yet."""
    if git.resolve("HEAD") is None:
        return Scope()
    output = b""
    for command in (
        ("diff", "-z", "--name-only", "--no-renames", "--no-ext-diff", "HEAD"),
        ("ls-files", "-z", "--others", "--exclude-standard", "--full-name"),
    ):
        output += git.git(*command, environment=_LOOKING)
    paths = output.decode("utf-8", "surrogateescape").split("\0")
    return _touched((path.partition("/")[0] for path in paths if "/" in path), None, git)


def _touched(names: Iterable[str], commit: str | None, git: GitRepository) -> Scope:
    found = {*names}
    # What is told of a folder that is no package is told with the repository.
    is_own = any(it == _OWN or not (it.startswith(".") or is_package_name(it)) for it in found)
    there = {it.name for it in git.entries(commit) if it.is_folder} if commit else None
    packages = frozenset(
        name
        for name in found
        if not name.startswith(".")
        and (name in there if there is not None else (git.folder / name).is_dir())
    )
    return Scope(packages=packages, with_repository=is_own, commit=commit)
