"""A folder that readers see: the simplest of targets."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError
from scheduler.files import hash_file, make_public_folder
from scheduler.hosting.protocol import Change, StoredFile, Upload

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scheduler.hosting.protocol import PublishingTarget

_PRIVATE = frozenset({".caur", ".staging"})


@dataclass(frozen=True, slots=True)
class FolderTarget:
    """The folder `folder`, as REPO_PATH is laid out."""

    folder: Path

    @property
    def address(self) -> str:
        """See `PublishingTarget.address`."""
        return str(self.folder)

    @property
    def server(self) -> str | None:
        """See `PublishingTarget.server`."""
        return f"{self.folder.as_uri()}/$repo/$arch"

    def listing(self) -> Mapping[str, StoredFile]:
        """See `PublishingTarget.listing`."""
        return {name: StoredFile(size=path.stat().st_size) for name, path in files_in(self.folder)}

    def fetch(self, paths: Iterable[str], root: Path) -> None:
        """See `PublishingTarget.fetch`."""
        for name in paths:
            _copy(self.folder / name, root / name)

    def apply(self, change: Change) -> None:
        """See `PublishingTarget.apply`."""
        try:
            for upload in (it for stage in change.stages for it in stage):
                _copy(upload.source, self.folder / upload.path)
            for name in change.removals:
                (self.folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise CaurError(f"{self.folder} cannot be written: {error.strerror}") from error


def pick_up(target: PublishingTarget, root: Path) -> None:
    """Bring what is published at the target to `root`."""
    target.fetch(target.listing(), root)


def bring(target: PublishingTarget, root: Path) -> None:
    """Let the target have what is published in `root`: packages first, databases last."""
    there = target.listing()
    stages: dict[bool, list[Upload]] = {False: [], True: []}
    here = set()
    for name, path in files_in(root):
        here.add(name)
        is_package = ".pkg.tar" in path.name
        known = there.get(name)
        if is_package and known is not None and known.size == path.stat().st_size:
            continue
        stages[not is_package].append(Upload(path=name, source=path))
    gone = tuple(sorted(there.keys() - here))
    target.apply(Change(stages=(tuple(stages[False]), tuple(stages[True])), removals=gone))


def files_in(root: Path) -> list[tuple[str, Path]]:
    """Return what readers may see below `root`, by its path there, databases behind the others."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _PRIVATE)
        found += [Path(folder, name) for name in sorted(names)]
    return [(str(path.relative_to(root)), path) for path in found if path.is_file()]


def _copy(source: Path, target: Path) -> None:
    if target.is_file() and hash_file(source) == hash_file(target):
        return
    make_public_folder(target.parent)
    fresh = target.with_name(f".{target.name}.new")
    shutil.copyfile(source, fresh)
    fresh.chmod(0o644)
    fresh.rename(target)
