"""Builders of real git repositories with package folders.

What git would only write down is written without starting it: hundreds of tests begin so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

Content = str | bytes | None


def git(folder: Path, *arguments: str, stdin: bytes | None = None) -> str:
    """Run git as a user would, and return what it printed."""
    done = subprocess.run(
        ["git", "-C", folder, *arguments], input=stdin, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode("utf-8", "surrogateescape").strip()


def make_repository(folder: Path, *, bare: bool = False, origin: Path | None = None) -> None:
    """Make an empty repository, as `git init` would; its branch is `main`."""
    inner = folder if bare else folder / ".git"
    for name in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "hooks", "info"):
        (inner / name).mkdir(parents=True)
    (inner / "HEAD").write_text("ref: refs/heads/main\n")
    _configure(inner, bare=bare, origin=origin)


def _configure(inner: Path, *, bare: bool, origin: Path | None) -> None:
    lines = ["[core]", "repositoryformatversion = 0", "filemode = true"]
    lines += ["bare = true"] if bare else ["bare = false", "logallrefupdates = true"]
    if origin is not None:
        lines += ['[remote "origin"]', f'url = "{origin.as_uri()}"']
        lines += ["fetch = +refs/heads/*:refs/remotes/origin/*"]
    (inner / "config").write_text("\n".join([*lines, ""]))


def srcinfo(pkgbase: str, *lines: str, names: tuple[str, ...] = ()) -> str:
    """Return a `.SRCINFO` with further lines for its base section."""
    body = "".join(f"\t{line}\n" for line in lines)
    packages = "".join(f"\npkgname = {name}\n" for name in names or (pkgbase,))
    return f"pkgbase = {pkgbase}\n\tpkgver = 1\n\tpkgrel = 1\n\tarch = any\n{body}{packages}"


@dataclass
class Checkout:
    """A clone with a bare remote `origin`."""

    folder: Path
    remote: Path

    @classmethod
    def create(cls, base: Path) -> Self:
        """Make an empty repository and its remote below `base`."""
        base.mkdir(exist_ok=True)
        remote, folder = base / "remote.git", base / "checkout"
        make_repository(remote, bare=True)
        make_repository(folder, origin=remote)
        return cls(folder, remote)

    def copy(self, base: Path) -> Self:
        """Make a copy of both below `base`; of the configuration, only the remote is kept."""
        base.mkdir(exist_ok=True)
        remote, folder = base / self.remote.name, base / self.folder.name
        shutil.copytree(self.remote, remote, symlinks=True)
        shutil.copytree(self.folder, folder, symlinks=True)
        _configure(folder / ".git", bare=False, origin=remote)
        return type(self)(folder, remote)

    def commit(self, message: str, files: dict[str, Content] | None = None) -> str:
        """Write `files` (None removes), commit everything, and return the commit's id."""
        for name, content in (files or {}).items():
            path = self.folder / os.fsdecode(name)
            if content is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "--quiet", "--allow-empty", "--file=-", stdin=message.encode())
        return self.head()

    def head(self) -> str:
        inner = self.folder / ".git"
        place = inner / (inner / "HEAD").read_text().removeprefix("ref: ").strip()
        return (
            place.read_text().strip() if place.is_file() else git(self.folder, "rev-parse", "HEAD")
        )

    def push(self, *refs: str) -> None:
        git(self.folder, "push", "--quiet", "--force", "origin", "HEAD:main", *refs)

    def schedule_here(self) -> str:
        """Push, with the tag `scheduled` at HEAD, as a finished run leaves it."""
        self.push("+HEAD:refs/tags/scheduled")
        return self.head()

    def overtake(self, ref: str, commit: str) -> None:
        """Have somebody set a ref of the remote to a commit there while the next push comes in."""
        hook, once = self.remote / "hooks/pre-receive", self.remote / "overtaken"
        hook.write_text(
            f"#!/bin/sh\n[ -e '{once}' ] && exit 0\ntouch '{once}'\n"
            f"unset GIT_QUARANTINE_PATH\ngit update-ref {ref} {commit}\n"
        )
        hook.chmod(0o755)

    @property
    def was_overtaken(self) -> bool:
        """Whether that has happened."""
        return (self.remote / "overtaken").exists()

    def remote_ref(self, ref: str) -> str:
        """Return the id that a ref of the remote has, empty where it is missing."""
        return git(self.remote, "for-each-ref", "--format=%(objectname)", ref)
