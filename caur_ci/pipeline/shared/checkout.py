"""Brings the clone that a pipeline ran in up to what it published, for whoever looks at it next."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from caur_ci.errors import GitError

if TYPE_CHECKING:
    from caur_ci.git import GitRepository

STATE_FOLDER = ".state"


def advance_checkout(git: GitRepository, old: str, new: str) -> str:
    """Move HEAD, index and working tree from the commit `old` to `new`.

    Changes that somebody has made meanwhile are kept. Returns why it could not be done, which
    changes nothing about what was published.
    """
    if git.bare or old == new:
        return ""
    try:
        git.git("update-index", "-q", "--refresh", allowed=(0, 1))
        git.git("read-tree", "-m", "-u", old, new)
        git.git("update-ref", "HEAD", new)
    except GitError as error:
        return f"the working tree stays at {old[:12]}: {error.message}"
    return ""


def check_out_state(git: GitRepository, commit: str | None) -> str:
    """Check the branch `state` out in the folder `.state`, anew where it is not a working tree.

    Returns why it could not be done.
    """
    if git.bare or commit is None:
        return ""
    folder = git.folder / STATE_FOLDER
    try:
        if _is_at(git, commit):
            return ""
        if folder.is_symlink() or folder.is_file():
            folder.unlink()
        elif folder.exists():
            shutil.rmtree(folder)
        git.git("worktree", "prune")
        git.git("worktree", "add", "--quiet", "--force", "--detach", str(folder), commit)
    except (GitError, OSError) as error:
        return f"{STATE_FOLDER} could not be brought up to date: {error}"
    return ""


def _is_at(git: GitRepository, commit: str) -> bool:
    folder = git.folder / STATE_FOLDER
    if not (folder / ".git").is_file():
        return False
    try:
        found = git.git("-C", str(folder), "rev-parse", "HEAD").decode().strip()
        clean = not git.git("-C", str(folder), "status", "--porcelain", "-z")
    except GitError:
        return False
    return found == commit and clean
