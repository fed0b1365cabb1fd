"""Builders of real git repositories with package folders."""

from __future__ import annotations

import os
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
        git(base, "init", "--quiet", "--bare", str(remote))
        git(base, "init", "--quiet", str(folder))
        git(folder, "remote", "add", "origin", remote.as_uri())
        return cls(folder, remote)

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
        return git(self.folder, "rev-parse", "HEAD")

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
