"""The repository of PKGBUILDs as workers and database runner see it, without any credentials.

They get a bare repository on this machine that borrows the objects of the clone: no process but
this one has to reach the remote.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.git import GitRepository
from caur_ci.pipeline.shared.memory.branch import MEMORY_BRANCH
from caur_ci.process import run

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caur_ci.pipeline.shared.context import RunContext

_REQUESTED = "refs/caur/requested/"


class SharedSource:
    """The repository in `folder`, made of what the run of `context` knows."""

    def __init__(self, folder: Path, context: RunContext) -> None:
        self._folder = folder
        self._context = context

    @property
    def url(self) -> str:
        """Where it is."""
        return self._folder.as_uri()

    def renew(self, commits: Iterable[str] = ()) -> None:
        """Let it be as the remote is now, with the `commits` that builds were asked for at.

        Raises GitError, and TemporaryError where the remote is out of reach.
        """
        context = self._context
        snapshot = context.shared.snapshot(context.branch)
        wanted = set(commits)
        context.shared.fetch_missing(wanted)
        self._ensure()
        refs = {context.branch: snapshot.branch or context.head, MEMORY_BRANCH: snapshot.memory}
        refs |= {f"{_REQUESTED}{commit}": commit for commit in wanted}
        git = GitRepository(self._folder, bare=True)
        known = git.refs()
        git.update_refs(
            {
                ref: (commit, known.get(ref))
                for ref, commit in refs.items()
                if commit is not None and commit != known.get(ref)
            }
        )
        git.git("symbolic-ref", "HEAD", context.branch)

    def _ensure(self) -> None:
        """Make it anew where it is missing, or of another clone."""
        told = self._context.git.git("rev-parse", "--path-format=absolute", "--git-common-dir")
        inner = Path(told.decode("utf-8", "surrogateescape").rstrip("\n"))
        alternates = self._folder / "objects" / "info" / "alternates"
        borrowed = f"{inner / 'objects'}\n"
        try:
            is_ours = alternates.read_text(encoding="utf-8", errors="surrogateescape") == borrowed
        except OSError:
            is_ours = False
        if not is_ours:
            shutil.rmtree(self._folder, ignore_errors=True)
            object_format = "sha256" if len(self._context.head) == 64 else "sha1"
            init = ["git", "init", "--quiet", "--bare", f"--object-format={object_format}"]
            run([*init, "--", self._folder])
            GitRepository(self._folder, bare=True).git(
                "config", "uploadpack.allowAnySHA1InWant", "true"
            )
            alternates.write_text(borrowed, encoding="utf-8", errors="surrogateescape")
        if (inner / "shallow").exists():
            shutil.copyfile(inner / "shallow", self._folder / "shallow")
        else:
            (self._folder / "shallow").unlink(missing_ok=True)
