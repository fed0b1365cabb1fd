"""The package folders around the place that a command runs in, by whichever name people use."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from caur_ci.errors import ConfigError, GitError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from caur_ci.package_folders import PackageFolders, WorkingFolders

_CONFIG = ".ci/config"
_PKGBASE = re.compile(rb"^\s*pkgbase\s*=\s*(\S+)\s*$", re.MULTILINE)
_NAMES = re.compile(rb"^\s*pkg(?:base|name)\s*=\s*(\S+)\s*$", re.MULTILINE)


def working_root(repo: Path) -> Path | None:
    """Return the folder with the package folders, in which or below which `repo` is, if any."""
    # Asking git would take longer than reading the files.
    return next((at for at in (repo, *repo.absolute().parents) if (at / ".git").exists()), None)


def folders_of(repo: Path, commit: str | None) -> PackageFolders:
    """Return the package folders of the working tree, or of a commit.

    Raises GitError.
    """
    root = working_root(repo)
    if commit is None and root is not None:
        return _working_folders(root)
    from caur_ci.git import GitRepository  # noqa: PLC0415 - slow to import
    from caur_ci.package_folders import CommittedFolders  # noqa: PLC0415

    git = GitRepository.open(repo)
    at = git.commit_id(commit or "HEAD")
    (config,) = git.read_blobs([f"{at}:{_CONFIG}"])
    return CommittedFolders.at(git, at, generate=_generates(config or b""))


def generates_srcinfo(root: Path) -> bool:
    """Tell whether folders without a `.SRCINFO` have it made, as the `.ci/config` on disk says."""
    try:
        return _generates((root / _CONFIG).read_bytes())
    except OSError:
        return False


def folders_at(repo: Path) -> WorkingFolders | None:
    """Return the package folders around `repo`, if it is in a working tree."""
    from caur_ci.package_folders import WorkingFolders  # noqa: PLC0415 - slow to import

    root = working_root(repo)
    try:
        return WorkingFolders(root) if root is not None else None
    except InputError:
        return None


def known_names(repo: Path) -> set[str]:
    """Return the names of all package folders, and the pkgbases in them."""
    folders = folders_at(repo)
    if folders is None:
        return set()
    return {*folders.packages, *(name for _, name in _names_in(folders, _PKGBASE))}


def folder_of(name: str, repo: Path) -> str | None:
    """Return the one folder that has the pkgbase or makes the package `name`.

    None where there is none, or there are several, or a folder has that name itself.
    """
    root = working_root(repo)
    try:
        folders = None if root is None else _working_folders(root)
    except InputError:
        return None
    if folders is None or name in folders.packages:
        return None
    found = {folder for folder, made in _names_in(folders, _NAMES) if made == name}
    return found.pop() if len(found) == 1 else None


def as_folders(names: Iterable[str], repo: Path) -> tuple[str, ...]:
    """Return the folders that `names` mean, each once; what means none stays as it is."""
    return tuple(dict.fromkeys(folder_of(name, repo) or name for name in names))


def _working_folders(root: Path) -> WorkingFolders:
    from caur_ci.package_folders import WorkingFolders  # noqa: PLC0415 - slow to import

    if not generates_srcinfo(root):
        return WorkingFolders(root)
    from caur_ci.generated_srcinfo import SrcinfoGenerator  # noqa: PLC0415 - slow to import
    from caur_ci.git import GitRepository  # noqa: PLC0415

    try:
        generator = SrcinfoGenerator.beside(GitRepository.open(root))
    except GitError:
        generator = SrcinfoGenerator()  # the files are there all the same
    return WorkingFolders(root, generator=generator)


def _generates(config: bytes) -> bool:
    if b"CI_SRCINFO" not in config:
        return False
    from caur_ci.config import load_repository_config  # noqa: PLC0415 - slow to import

    try:
        return load_repository_config(config).config.generate_srcinfo
    except ConfigError:
        return False  # what is wrong with it is for on-commit to tell


def _names_in(folders: WorkingFolders, pattern: re.Pattern[bytes]) -> Iterator[tuple[str, str]]:
    for folder, srcinfo in folders.srcinfos():
        for name in pattern.findall(srcinfo if isinstance(srcinfo, bytes) else b""):
            yield folder, name.decode("utf-8", "replace")
