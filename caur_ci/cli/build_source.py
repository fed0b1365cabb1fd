"""What `caur-ci build` builds: a commit, or the working tree, of a repository here or elsewhere."""

from __future__ import annotations

import hashlib
import re
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.cli.options import named_as_completed
from caur_ci.cli.working_tree import folders_of
from caur_ci.config import read_repository_config
from caur_ci.errors import InputError
from caur_ci.git import GitRepository
from caur_ci.package_folders import CommittedFolders
from scheduler.settings import SourceRepository
from scheduler.source.cache import SourceCache
from scheduler.source.working import WorkingSource, snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from caur_ci.package_folders import PackageFolders

_CONFIG = ".ci/config"
# As git tells an address from a path: `host:path` has no slash before the colon.
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://.|[^/]+:.")
_NAME = re.compile(r"[^A-Za-z0-9._+-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSource:
    """Where packages come from: the `folders` of a repository, at one commit.

    `take` returns a source that has some of them, and the commit. `uncommitted` says that this is
    the working tree, and not what was committed of it.
    """

    repository: SourceRepository
    folders: PackageFolders
    take: Callable[[Sequence[str]], tuple[SourceCache, str]]
    uncommitted: bool = False


def is_address(repo: str) -> bool:
    """Tell whether `repo` is the address of a repository and not a folder."""
    return not Path(repo).exists() and _ADDRESS.match(repo) is not None


def source_repository(repo: str) -> SourceRepository:
    """Return the repository that `repo`, an address or a folder, means. Raises GitError."""
    if is_address(repo):
        name = _named(repo.rstrip("/").rpartition("/")[2].removesuffix(".git"))
        # Others of the same name have a cache of their own.
        return SourceRepository(
            name=f"{name}-{hashlib.sha256(repo.encode()).hexdigest()[:8]}", url=repo
        )
    folder = GitRepository.open(Path(repo)).folder
    return SourceRepository(name=_named(folder.name), url=str(folder))


def split_reference(reference: str) -> tuple[str, str]:
    """Return the package and the commit in `PACKAGE@COMMIT`; without a commit that is empty.

    Raises InputError.
    """
    package, at, revision = reference.rpartition("@")
    if not at or not package:
        return named_as_completed(reference), ""
    if not revision:
        raise InputError(
            f"{reference!r} names no commit", hint="Leave out the @, or put a commit after it."
        )
    return named_as_completed(package), revision


@contextmanager
def opened_source(
    repository: SourceRepository, revision: str, shared: Path
) -> Iterator[BuildSource]:
    """Provide the source at `revision`, or without one as it is now.

    That is the working tree of a folder, and the tip of anything else. `shared` has the caches of
    those that are elsewhere. Raises GitError, and what `SourceCache` raises.
    """
    if is_address(repository.url):
        sources = SourceCache(shared / "sources")
        commit = sources.commit_of(repository, revision)
        git = sources.repository_at(repository, commit)
        yield _committed(repository, sources, git, commit)
        return
    git = GitRepository.open(Path(repository.url))
    if revision or git.bare:
        yield _committed(repository, WorkingSource(git), git, git.commit_id(revision or "HEAD"))
        return
    with tempfile.TemporaryDirectory(prefix="caur-ci-build-") as scratch:
        yield _uncommitted(repository, git, Path(scratch) / "snapshot.git")


def has_changes(repository: SourceRepository, packages: Sequence[str]) -> bool:
    """Tell whether the working tree has something of `packages` that is not committed."""
    git = GitRepository(Path(repository.url), bare=False)
    changes = git.git(
        *("status", "--porcelain", "--", *packages), environment={"GIT_LITERAL_PATHSPECS": "1"}
    )
    return bool(changes)


def _committed(
    repository: SourceRepository, sources: SourceCache, git: GitRepository, commit: str
) -> BuildSource:
    generate = read_repository_config(git, commit).config.generate_srcinfo
    folders = CommittedFolders.at(git, commit, generate=generate)
    return BuildSource(repository=repository, folders=folders, take=lambda _: (sources, commit))


def _uncommitted(repository: SourceRepository, git: GitRepository, scratch: Path) -> BuildSource:
    def take(packages: Sequence[str]) -> tuple[SourceCache, str]:
        taken, commit = snapshot(git.folder, [*packages, _CONFIG], scratch)
        return WorkingSource(taken), commit

    folders = folders_of(git.folder, None)
    return BuildSource(repository=repository, folders=folders, take=take, uncommitted=True)


def _named(text: str) -> str:
    return _NAME.sub("-", text).strip("-.") or "repository"
