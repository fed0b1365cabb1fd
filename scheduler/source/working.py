"""A source repository that is a clone on this machine, and what lies in its working tree."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from caur_ci.errors import GitError
from caur_ci.git import GitRepository
from caur_ci.process import run
from scheduler.source.cache import SourceCache
from scheduler.source.fetching import SourceMissingError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from scheduler.settings import SourceRepository

# What makepkg leaves beside a PKGBUILD, unless git knows it.
_LEFTOVERS = re.compile(
    r"[^/]+/(?:(?:src|pkg)/.*|[^/]*\.(?:pkg|src)\.tar(?:\.[a-z0-9]+)?|[^/]*\.log)"
)
_LITERALLY = {"GIT_LITERAL_PATHSPECS": "1"}
_NOBODY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "caur-ci"), ("EMAIL", "caur-ci@localhost"))
}


class WorkingSource(SourceCache):
    """Reads a repository that is on this machine: nothing is fetched but what it lacks itself."""

    def __init__(self, repository: GitRepository) -> None:
        super().__init__(repository.folder)
        self._working = repository

    def repository_at(self, source: SourceRepository, commit: str) -> GitRepository:
        """Return the repository itself; see `SourceCache.repository_at`."""
        try:
            if self._working.resolve(commit) is not None:
                return self._working
        except GitError:
            pass
        raise SourceMissingError(f"commit {commit} is not in {source.url}")


def snapshot(root: Path, folders: Sequence[str], scratch: Path) -> tuple[GitRepository, str]:
    """Commit `folders` as they lie in the working tree at `root`, into the new `scratch`.

    That is a bare repository, so nothing changes in that of the working tree. What git ignores is
    left out, and what makepkg has made. Raises GitError and ProcessError.
    """
    working = GitRepository(root, bare=False)
    tracked = _files(working, folders, "--cached")
    others = _files(working, folders, "--others", "--exclude-standard")
    files = tracked + [path for path in others if not _LEFTOVERS.fullmatch(path)]
    there = [path for path in files if not path.endswith("/") and os.path.lexists(root / path)]
    object_format = working.git("rev-parse", "--show-object-format").decode().strip()
    run(["git", "init", "--quiet", "--bare", f"--object-format={object_format}", "--", scratch])
    made = ["git", "-C", str(root), f"--git-dir={scratch}", f"--work-tree={root}"]
    names = b"".join(os.fsencode(path) + b"\0" for path in there)
    run([*made, "update-index", "--add", "-z", "--stdin"], stdin=names)
    tree = run([*made, "write-tree"]).stdout.decode().strip()
    commit = run([*made, "commit-tree", tree, "-m", "the working tree"], environment=_NOBODY)
    return GitRepository(scratch, bare=True), commit.stdout.decode().strip()


def _files(working: GitRepository, folders: Sequence[str], *which: str) -> list[str]:
    listed = working.git("ls-files", "-z", *which, "--", *folders, environment=_LITERALLY)
    return [os.fsdecode(name) for name in listed.split(b"\0") if name]
