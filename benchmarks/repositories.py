"""Git repositories to measure in, made once and kept under `benchmarks/.cache`."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.generate import write_packages
from caur_ci.process import run

if TYPE_CHECKING:
    from collections.abc import Iterator

CACHE = Path(__file__).with_name(".cache")
CHANGED = 6
# Raised when what is made changes, so that nobody measures in an old cache.
_EDITION = 1
_CONFIG = "BUILD_REPO=packages\nREPO_NAME=bench\n"
_WRITER = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_NAME": "Benchmark" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "benchmark@example.org" for who in ("AUTHOR", "COMMITTER")},
}


@dataclass(frozen=True, slots=True)
class BenchRepository:
    """A clone and its bare remote: HEAD changes six packages since the tag `scheduled`."""

    label: str
    clone: Path
    remote: Path

    @property
    def packages(self) -> int:
        """How many package folders there are."""
        return sum(1 for entry in self.clone.iterdir() if _is_package(entry))

    def rewind(self) -> None:
        """Put the tag and branch `caur` back to where they were before any run."""
        base = git(self.clone, "rev-parse", "HEAD~1")
        git(self.clone, "update-ref", "refs/tags/scheduled", base)
        git(self.remote, "update-ref", "refs/tags/scheduled", base)
        for folder, ref in (
            (self.remote, "refs/heads/caur"),
            (self.clone, "refs/heads/caur"),
            (self.clone, "refs/remotes/origin/caur"),
        ):
            git(folder, "update-ref", "-d", ref)


def git(folder: Path, *arguments: str) -> str:
    """Run one git command in `folder` and return what it printed."""
    return run(["git", "-C", folder, *arguments], environment=_WRITER).stdout.decode().strip()


def generated(count: int) -> BenchRepository:
    """Return a made-up repository of `count` packages."""
    place = CACHE / f"generated-{count}-v{_EDITION}"
    if not place.exists():
        with _building(place) as new:
            write_packages(new / "clone", count)
            _commit(new)
    return BenchRepository(f"{count:,} made up", place / "clone", place / "remote.git")


def real(metadata: Path) -> BenchRepository:
    """Return a repository of the real `metadata`: a folder, or an archive of one."""
    stat = metadata.stat()
    place = CACHE / f"real-{stat.st_size}-{int(stat.st_mtime)}-v{_EDITION}"
    if not place.exists():
        with _building(place) as new:
            _unpack(metadata, new / "clone")
            _commit(new)
    found = BenchRepository("", place / "clone", place / "remote.git")
    return BenchRepository(f"{found.packages:,} real", found.clone, found.remote)


@contextmanager
def _building(place: Path) -> Iterator[Path]:
    """Give a folder to work in that becomes `place` only when all went well."""
    unfinished = place.with_name(f"{place.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    (unfinished / "clone").mkdir(parents=True)
    yield unfinished
    unfinished.rename(place)


def _unpack(metadata: Path, folder: Path) -> None:
    if metadata.is_dir():
        shutil.copytree(metadata, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".git"))
    else:
        run(["tar", "--extract", "--auto-compress", "--file", metadata, "--directory", folder])


def _commit(place: Path) -> None:
    """Commit everything in the clone, then a change of six packages, and make the remote."""
    clone, remote = place / "clone", place / "remote.git"
    (clone / ".ci").mkdir(exist_ok=True)
    (clone / ".ci" / "config").write_text(_CONFIG, encoding="utf-8")
    git(clone, "init", "--quiet", "--initial-branch=main")
    _commit_all(clone, "chore: begin")
    folders = sorted(entry for entry in clone.iterdir() if _is_package(entry))
    for folder in folders[:: len(folders) // CHANGED][:CHANGED]:
        (folder / "PKGBUILD").write_text("# changed\n", encoding="utf-8")
    _commit_all(clone, "chore(update): six packages")
    # A clone in a pipeline has its objects in one pack.
    git(clone, "repack", "-a", "-d", "--quiet")
    git(place, "clone", "--quiet", "--bare", "--no-local", str(clone), str(remote))
    # Relative, because the whole folder is going to be renamed.
    git(clone, "remote", "add", "origin", "../remote.git")


def _commit_all(clone: Path, message: str) -> None:
    git(clone, "add", "--all", "--force")
    git(clone, "commit", "--quiet", f"--message={message}")


def _is_package(entry: Path) -> bool:
    return entry.is_dir() and not entry.name.startswith(".")
