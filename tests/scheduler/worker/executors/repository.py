"""A repository to build with."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from scheduler.settings import ExtraRepository, TargetRepository
from tests.support.packages import SigningKey, make_package

if TYPE_CHECKING:
    from pathlib import Path


class Repository:
    """A signed repository in a folder, with one package of A, which provides `measure`."""

    def __init__(
        self,
        folder: Path,
        key: SigningKey,
        *,
        name: str = "repo",
        version: str = "1-1",
        content: str = "of a",
        arch: str = "",
    ) -> None:
        self.folder = folder
        self.key = key
        self.name = name
        self.place = self.folder / name / (arch or "x86_64")
        self.place.mkdir(parents=True)
        extra = "provides = measure=2\n"
        self.publish(
            make_package(self.place, "a", version, extra=extra, content=content, arch=arch or "any")
        )

    def publish(self, package: Path) -> None:
        self._gpg(package)
        self.add(package)

    def add(self, package: Path) -> None:
        database = self.place / f"{self.name}.db.tar.zst"
        subprocess.run(["repo-add", "--quiet", database, package], check=True, capture_output=True)
        self._gpg(database)
        link = self.place / f"{self.name}.db.sig"
        link.unlink(missing_ok=True)
        link.symlink_to(f"{self.name}.db.tar.zst.sig")

    def target(self, **values: tuple[Path, ...] | tuple[str, ...]) -> TargetRepository:
        server = f"{self.folder.as_uri()}/$repo/$arch"
        extra = ExtraRepository(name="repo", servers=(server,), sig_level="Required")
        values.setdefault("keys", (self.key.public,))
        return TargetRepository(name="repo", extra_repos=(extra,), **values)  # type: ignore[arg-type]

    def _gpg(self, path: Path) -> None:
        gpg = ["gpg", "--homedir", str(self.key.home), "--batch", "--yes"]
        subprocess.run([*gpg, "--detach-sign", path], check=True, capture_output=True)
