"""A repository for what is done about one package at the AUR, beside the one with the folders."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.git import GitRepository

if TYPE_CHECKING:
    from collections.abc import Iterator

# The refs of the repository with the folders say nothing about the AUR.
_CONFIG = """\
[core]
    repositoryformatversion = 0
    bare = true
    hooksPath = /dev/null
    alternateRefsCommand = true
[gc]
    auto = 0
[maintenance]
    auto = false
"""


@contextmanager
def scratch_repository(git: GitRepository) -> Iterator[GitRepository]:
    """Provide an empty repository in which the objects of `git` are known as well.

    What is fetched there without its history leaves no mark on `git`, and several may fetch at a
    time.
    """
    objects = git.git("rev-parse", "--git-path", "objects").rstrip(b"\n")
    place = Path(git.folder, os.fsdecode(objects)).absolute()
    with tempfile.TemporaryDirectory(prefix="caur-ci-aur-") as name:
        folder = Path(name)
        for inner in ("objects/info", "refs"):
            (folder / inner).mkdir(parents=True)
        (folder / "HEAD").write_text("ref: refs/heads/master\n", encoding="ascii")
        (folder / "config").write_text(_CONFIG, encoding="ascii")
        (folder / "objects/info/alternates").write_bytes(os.fsencode(place) + b"\n")
        yield GitRepository(folder, bare=True)
