"""A pacman repository of what was built here a moment ago, for the builds that need it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from caur_ci.process import run
from scheduler.settings import ExtraRepository

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from scheduler.settings import TargetRepository

_NAME = "caur-ci-build"
_READABLE = 0o755


class LocalRepository:
    """Packages in `folder`, which users that build have to be able to get to."""

    def __init__(self, folder: Path, arch: str) -> None:
        self._folder = folder
        self._place = folder / _NAME / arch

    def add(self, packages: Iterable[Path]) -> None:
        """Add packages. Raises ProcessError where repo-add is missing or fails, and OSError."""
        self._place.mkdir(parents=True, exist_ok=True)
        for folder in (self._folder, self._place.parent, self._place):
            folder.chmod(_READABLE)
        copies = [shutil.copyfile(package, self._place / package.name) for package in packages]
        run(["repo-add", "--quiet", "--nocolor", self._place / f"{_NAME}.db.tar.gz", *copies])

    def before_others(self, target: TargetRepository) -> TargetRepository:
        """Return `target` with these packages, which win over others of the same name."""
        if not self._place.is_dir():
            return target
        own = ExtraRepository(
            name=_NAME,
            servers=(f"{self._folder.as_uri()}/$repo/{self._place.name}",),
            sig_level="Optional TrustAll",
        )
        return replace(target, extra_repos=(own, *target.extra_repos))
