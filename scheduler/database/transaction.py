"""A change of a pacman repository in the making, in a folder that no reader sees."""

from __future__ import annotations

import os
import shutil
import time
from itertools import product
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, ProcessError
from caur_ci.process import run
from scheduler.database.entries import read_entries
from scheduler.files import sync_folder

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from scheduler.database.entries import Entry
    from scheduler.database.packages import PackageFile
    from scheduler.database.signing import Signer

_TIMEOUT = 3600.0
_KINDS = ("db", "files")


class RepoToolError(CaurError):
    """repo-add or repo-remove refused."""


class Transaction:
    """Package files to add and entries to remove, with the database that results.

    `folder` is where it all is put together.
    """

    def __init__(self, live: Path, folder: Path, name: str, signer: Signer) -> None:
        self.folder = folder
        self._live = live
        self._name = name
        self._signer = signer
        self._added: list[Path] = []
        self._removed: list[str] = []

    def add(self, packages: Sequence[PackageFile]) -> None:
        """Take in checked package files, which lie somewhere below `folder`."""
        for package in packages:
            self._added.append(package.path.rename(self.folder / package.path.name))

    def remove(self, pkgnames: Collection[str]) -> None:
        """Take out entries that are in the database."""
        self._removed.extend(sorted(pkgnames))

    def prepare(self) -> None:
        """Sign the packages, make the new database and sign that. Nothing is visible yet.

        Raises RepoToolError, SigningError and OSError.
        """
        databases = [self.folder / f"{self._name}.{kind}.tar.zst" for kind in _KINDS]
        for database in databases:
            if (self._live / database.name).exists():
                shutil.copyfile(self._live / database.name, database)
        self._signer.sign_all(self._added)
        if self._removed:
            self._run("repo-remove", self._removed)
        if self._added:
            self._run("repo-add", [f"./{path.name}" for path in self._added])
        self._signer.sign_all(databases)
        wanted = {path.name for path in (*self._added, *databases)}
        for path in self.folder.iterdir():
            # What was not taken in, and the links and backups that the tools make.
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name.removesuffix(".sig") not in wanted:
                path.unlink()

    def entries(self) -> dict[str, Entry]:
        """Return what is in the new database."""
        return read_entries(self.folder / f"{self._name}.db.tar.zst")

    def make_durable(self) -> None:
        """See that the files survive a loss of power, and that everybody may read them."""
        for path in self.folder.iterdir():
            with path.open("rb") as stream:
                os.fchmod(stream.fileno(), 0o644)
                os.fsync(stream.fileno())
        self._age_databases()
        sync_folder(self.folder)

    def _age_databases(self) -> None:
        # pacman fetches databases and signatures only if they are newer, in whole seconds, than
        # those it has.
        for kind, suffix in product(_KINDS, ("", ".sig")):
            path = self.folder / f"{self._name}.{kind}.tar.zst{suffix}"
            live = self._live / path.name
            last = int(live.stat().st_mtime) + 1 if live.exists() else 0
            modified = max(int(time.time()), last)
            os.utime(path, (modified, modified))

    def _run(self, tool: str, arguments: Sequence[str]) -> None:
        database = f"{self._name}.db.tar.zst"
        try:
            run([tool, "--nocolor", database, *arguments], cwd=self.folder, timeout=_TIMEOUT)
        except ProcessError as error:
            if error.returncode is None:
                raise
            raise RepoToolError(error.message) from error
