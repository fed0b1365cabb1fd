"""The package folders that a command is about."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import ConfigError
from caur_ci.package_folders import CommittedFolders, WorkingFolders

if TYPE_CHECKING:
    from caur_ci.generated_srcinfo import SrcinfoGenerator
    from caur_ci.package_folders import PackageFolders

_CONFIG = ".ci/config"


def folders_of(repo: Path, commit: str | None) -> PackageFolders:
    """Return the package folders of the working tree, or of a commit.

    `repo` may lie below the top of the repository. Raises GitError.
    """
    root = next((at for at in (repo, *repo.absolute().parents) if Path(at, ".git").exists()), None)
    if commit is None and root is not None:
        # Asking git as well would take longer than reading the files.
        return WorkingFolders(root, generator=_generator(root))
    from caur_ci.git import GitRepository  # noqa: PLC0415 - slow to import

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


def _generator(root: Path) -> SrcinfoGenerator | None:
    if not generates_srcinfo(root):
        return None
    from caur_ci.generated_srcinfo import SrcinfoGenerator  # noqa: PLC0415 - slow to import
    from caur_ci.git import GitRepository  # noqa: PLC0415

    return SrcinfoGenerator.beside(GitRepository.open(root))


def _generates(config: bytes) -> bool:
    if b"CI_SRCINFO" not in config:
        return False
    from caur_ci.config import load_repository_config  # noqa: PLC0415 - slow to import

    try:
        return load_repository_config(config).config.generate_srcinfo
    except ConfigError:
        return False  # what is wrong with it is for on-commit to tell
