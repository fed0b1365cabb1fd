"""The source repositories: a bare cache of each, and package folders out of it."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.config import read_repository_config
from caur_ci.errors import InputError
from caur_ci.generated_srcinfo import SrcinfoGenerator
from caur_ci.git import GitRepository
from caur_ci.git.export import export_tree
from caur_ci.locks import locked
from caur_ci.names import check_package_name, is_package_name, is_ref_name
from caur_ci.recalled import RECALLED, RECALLED_BRANCH, read_recalled
from caur_ci.srcinfo import SRCINFO, parse_fields
from scheduler.source.fetching import (
    SourceMissingError,
    ensure,
    fetch_commit,
    fetch_ref,
    fetch_tip,
    folder_name,
    format_of,
    has_commit,
    id_of_ref,
    object_format_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from caur_ci.generated_srcinfo import Srcinfo
    from caur_ci.git import TreeEntry
    from scheduler.settings import SourceRepository

MAX_FILE_SIZE = 4 * 1024 * 1024
_MEMORY = "refs/caur/memory"
_OBJECT_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class SourceFolder:
    """A package's folder on disk, and the id of the git tree that it is."""

    path: Path
    tree: str


@dataclass(frozen=True, slots=True)
class FolderNames:
    """The packages that a folder makes, by its `.SRCINFO`; by its own name where there is none."""

    pkgbase: str
    pkgnames: frozenset[str]

    @property
    def made(self) -> frozenset[str]:
        """The names that its packages may have, with that of its debug symbols."""
        return self.pkgnames | {f"{self.pkgbase}-debug"}


class SourceCache:
    """Local copies of source repositories in one folder, which several workers may share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def export(
        self, source: SourceRepository, commit: str, pkgbase: str, destination: Path
    ) -> SourceFolder:
        """Write the folder `pkgbase` as it is at `commit` into the new folder `destination`.

        The tip of a branch is never consulted. Raises SourceMissingError when the commit or the
        folder does not exist, UnsafeTreeError when the folder holds what must not be written,
        TemporaryError when the repository is out of reach.
        """
        check_package_name(pkgbase)
        repository = self.repository_at(source, commit)
        tree = _folder_tree(repository, source, commit, pkgbase)
        export_tree(repository, tree, destination)
        return SourceFolder(destination, tree)

    def read_files(
        self, source: SourceRepository, commit: str, paths: Sequence[str]
    ) -> dict[str, bytes]:
        """Return the content of those of `paths` that are plain files at `commit`.

        Links are not followed. Raises SourceMissingError when the commit does not exist or a file
        has more than 4 MiB, TemporaryError when the repository is out of reach.
        """
        repository = self.repository_at(source, commit)
        blobs = _plain_files(repository, commit, paths)
        contents = repository.read_blobs(list(blobs.values()))
        return {path: content or b"" for path, content in zip(blobs, contents, strict=True)}

    def read_package(
        self, source: SourceRepository, commit: str, folder: str, names: Sequence[str]
    ) -> dict[str, bytes]:
        """Return the content of those of `names` that are plain files in a package's folder.

        A missing `.SRCINFO` is generated where the repository's configuration says so. Raises
        UnsureSrcinfoError where that cannot be, and what `read_files` raises.
        """
        paths = {f"{folder}/{name}": name for name in names}
        contents = self.read_files(source, commit, list(paths))
        files = {paths[path]: content for path, content in contents.items()}
        if SRCINFO in names and SRCINFO not in files:
            repository = self.repository_at(source, commit)
            tree = _folder_tree(repository, source, commit, folder)
            srcinfo = _generated(repository, commit, {folder: tree})[folder]
            if isinstance(srcinfo, InputError):
                raise srcinfo
            if srcinfo is not None:
                files[SRCINFO] = srcinfo
        return files

    def names_at(self, source: SourceRepository, commit: str) -> dict[str, FolderNames]:
        """Return what each package folder makes at `commit`.

        Raises SourceMissingError when the commit does not exist, TemporaryError when the
        repository is out of reach.
        """
        return _names_in(self.repository_at(source, commit), commit)

    def names_now(self, source: SourceRepository) -> dict[str, FolderNames]:
        """Return what each package folder makes at the tip of the repository.

        That is what its HEAD leads to. Raises TemporaryError when the repository is out of reach.
        """
        repository = self._repository(source, object_format_of(source))
        return _names_in(repository, self._fetched_tip(repository, source))

    def recalled_now(self, source: SourceRepository) -> frozenset[str]:
        """Return the folders that the repository says were recalled.

        Raises InputError where that makes no sense, TemporaryError when it is out of reach.
        """
        told = id_of_ref(source, RECALLED_BRANCH)
        if not told:
            return frozenset()
        repository = self._repository(source, format_of(told))
        with locked(self._folder / f"{source.name}.lock"):
            ensure(repository)
            if repository.object_id(_MEMORY) != told:
                fetch_ref(repository, source, f"+{RECALLED_BRANCH}:{_MEMORY}")
        (content,) = repository.read_blobs([f"{_MEMORY}:{RECALLED}"])
        return read_recalled(content or b"")

    def is_current(self, source: SourceRepository, commit: str, folder: str) -> bool:
        """Tell whether a folder is at the tip of the repository what it is at `commit`.

        Raises what the other methods raise.
        """
        repository = self.repository_at(source, commit)
        tip = self._fetched_tip(repository, source)
        now, then = (_entry_of(repository, each, folder) for each in (tip, commit))
        return now is not None and now == then

    def _fetched_tip(self, repository: GitRepository, source: SourceRepository) -> str:
        with locked(self._folder / f"{source.name}.lock"):
            ensure(repository)
            return fetch_tip(repository, source)

    def commit_of(self, source: SourceRepository, revision: str = "") -> str:
        """Return the full id of a commit: of a branch or tag of the repository, or of its tip.

        A full id is returned as it is. Raises SourceMissingError for a name that the repository
        does not have, TemporaryError when it is out of reach.
        """
        if _OBJECT_ID.fullmatch(revision):
            return revision
        if revision and not is_ref_name(revision):
            raise SourceMissingError(f"{revision!r} is no name of a commit")
        names = [f"refs/heads/{revision}", f"refs/tags/{revision}"] if revision else ["HEAD"]
        for name in names:
            if told := id_of_ref(source, name):
                return told
        raise SourceMissingError(
            f"the source repository {source.name} has no branch or tag {revision!r}"
            if revision
            else f"the source repository {source.name} has no commit yet",
            hint="An id has to be given in full where a repository is not on this machine.",
        )

    def repository_at(self, source: SourceRepository, commit: str) -> GitRepository:
        """Return the copy of a source repository, in which `commit` is.

        Raises SourceMissingError when it does not exist, TemporaryError when the repository is
        out of reach.
        """
        if _OBJECT_ID.fullmatch(commit) is None:
            raise SourceMissingError(f"{commit!r} is not the full id of a commit")
        repository = self._repository(source, format_of(commit))
        if repository.folder.is_dir() and has_commit(repository, commit):
            return repository
        with locked(self._folder / f"{source.name}.lock"):
            ensure(repository)
            if not has_commit(repository, commit):
                fetch_commit(repository, source, commit)
        return repository

    def _repository(self, source: SourceRepository, object_format: str) -> GitRepository:
        self._folder.mkdir(parents=True, exist_ok=True)
        return GitRepository(self._folder / folder_name(source.name, object_format), bare=True)


def _entry_of(repository: GitRepository, commit: str, folder: str) -> TreeEntry | None:
    return next((each for each in repository.entries(commit) if each.name == folder), None)


def _names_in(repository: GitRepository, commit: str) -> dict[str, FolderNames]:
    trees = {
        entry.name: entry.object_id
        for entry in repository.entries(commit)
        if entry.is_folder and is_package_name(entry.name)
    }
    found: dict[str, FolderNames] = {}
    srcinfos = repository.read_blobs([f"{commit}:{folder}/{SRCINFO}" for folder in trees])
    for folder, srcinfo in zip(trees, srcinfos, strict=True):
        if srcinfo is not None:
            found[folder] = _names_of(folder, srcinfo)
    left = {folder: tree for folder, tree in trees.items() if folder not in found}
    made = _generated(repository, commit, left)
    kinds = repository.object_types([f"{commit}:{folder}/PKGBUILD" for folder in left])
    for folder, kind in zip(left, kinds, strict=True):
        if kind == "blob":
            generated = made[folder]
            found[folder] = _names_of(folder, generated if isinstance(generated, bytes) else b"")
    return found


def _generated(
    repository: GitRepository, commit: str, trees: Mapping[str, str]
) -> dict[str, Srcinfo]:
    """Return the `.SRCINFO` of folders that commit none: nothing where they need one."""
    try:
        generate = (
            bool(trees) and read_repository_config(repository, commit).config.generate_srcinfo
        )
    except InputError:
        generate = False
    if not generate:
        return dict.fromkeys(trees)
    return SrcinfoGenerator.beside(repository).of_trees(repository, trees)


def _names_of(folder: str, srcinfo: bytes) -> FolderNames:
    with suppress(InputError):
        fields = parse_fields(srcinfo, origin=folder)
        return FolderNames(fields.pkgbase, frozenset(fields.pkgnames))
    return FolderNames(folder, frozenset({folder}))


def _folder_tree(
    repository: GitRepository, source: SourceRepository, commit: str, pkgbase: str
) -> str:
    output = repository.git("ls-tree", "-z", "--full-tree", commit, "--", pkgbase)
    for record in output.split(b"\0"):
        head, _, name = record.partition(b"\t")
        if name == pkgbase.encode():
            mode, kind, object_id = head.decode().split(" ")
            if kind == "tree":
                return object_id
            raise SourceMissingError(
                f"{pkgbase} is no folder at commit {commit} of {source.name} (mode {mode})"
            )
    raise SourceMissingError(f"there is no folder {pkgbase} at commit {commit} of {source.name}")


def _plain_files(repository: GitRepository, commit: str, paths: Sequence[str]) -> dict[str, str]:
    if not paths:
        return {}
    output = repository.git(
        *("ls-tree", "-z", "--long", "--full-tree", commit, "--", *paths),
        environment={"GIT_LITERAL_PATHSPECS": "1"},
    )
    found = {}
    for record in output.decode("utf-8", "surrogateescape").split("\0"):
        head, _, path = record.partition("\t")
        if path not in paths or not head.startswith("100"):
            continue
        _, _, object_id, size = head.split()
        if int(size) > MAX_FILE_SIZE:
            raise SourceMissingError(f"{path!a} at commit {commit} has {size} bytes, too many")
        found[path] = object_id
    return found
