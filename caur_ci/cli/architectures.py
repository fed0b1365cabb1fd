"""Which architectures a command is about, where it names none."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from caur_ci.architectures import DEFAULT_ARCHITECTURE, BuildTarget
from caur_ci.errors import GitError, InputError
from caur_ci.names import check_architecture

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def architectures_of(arch: str | None, repo: Path) -> tuple[str, ...]:
    """Return `arch`, or those of the repository of PKGBUILDs at HEAD; the usual one outside.

    Raises NameNotAllowedError, and ConfigError for a `.ci/config` that cannot be used.
    """
    from caur_ci.cli.head_config import head_config  # noqa: PLC0415
    from caur_ci.git import GitRepository  # noqa: PLC0415 - slow to import

    if arch is not None:
        return (check_architecture(arch),)
    with suppress(GitError):
        return head_config(GitRepository.open(repo)).architectures
    return (DEFAULT_ARCHITECTURE,)


def named_targets(
    packages: Iterable[str], arch: str | None, repo: Path, *, leaving_out: bool = False
) -> dict[str, tuple[BuildTarget, ...]]:
    """Return what each of `packages` is built for, or what of it reaches `arch`.

    Raises InputError where that is nothing, unless it is to be left out.
    """
    from caur_ci.git import GitRepository  # noqa: PLC0415 - slow to import
    from caur_ci.pipeline.shared.committed_repository import CommittedRepository  # noqa: PLC0415

    names = list(packages)
    first, *others = architectures = architectures_of(None, repo)
    plain: tuple[BuildTarget, ...] = (BuildTarget(arch or first),)
    if not others or (arch is not None and arch not in architectures):
        return dict.fromkeys(names, plain)
    git = GitRepository.open(repo)
    repository = CommittedRepository.read(git, git.commit_id("HEAD"))
    known = repository.build_targets(name for name in names if name in repository.folders.packages)
    found = {
        name: tuple(it for it in targets if arch is None or it.reaches(arch))
        for name, targets in known.items()
    }
    for name, targets in found.items():
        if not targets and not leaving_out:
            why = repository.no_target(name) if not known[name] else f"it is not built for {arch}"
            raise InputError(f"{name}: {why}")
    return {**dict.fromkeys(names, plain), **found}
