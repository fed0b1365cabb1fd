"""A change of a pacman repository in the making, in a folder that no reader sees."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, ProcessError
from caur_ci.process import run
from scheduler.database.entries import problem_with_record, read_entries, read_records
from scheduler.database.forms import take_databases
from scheduler.database.generations import RECORD
from scheduler.files import link_or_copy, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from scheduler.database.entries import Entry, Record
    from scheduler.database.generations import Generation
    from scheduler.database.layout import Layout
    from scheduler.database.packages import PackageFile
    from scheduler.database.signing import Signer

_TIMEOUT = 3600.0
_SHOWN = 8


class RepoToolError(CaurError):
    """repo-add or repo-remove refused."""


class Transaction:
    """Package files to add and entries to remove, with the database that results.

    `folder` is where it all is put together.
    """

    def __init__(self, layout: Layout, folder: Path, signer: Signer) -> None:
        self.folder = folder
        self._layout = layout
        self._signer = signer
        self._added: list[Path] = []
        self._checked: list[PackageFile] = []
        self._removed: set[str] = set()

    def add(self, packages: Iterable[PackageFile]) -> None:
        """Take in checked package files, which lie somewhere below `folder`."""
        for package in packages:
            self._added.append(package.path.rename(self.folder / package.path.name))
            self._checked.append(package)

    def add_published(self, files: Iterable[Path]) -> None:
        """Take in files that are published elsewhere or were before, with their signatures."""
        for path in files:
            link_or_copy(path, self.folder / path.name)
            signature = path.with_name(f"{path.name}.sig")
            if signature.exists():
                link_or_copy(signature, self.folder / signature.name)
            self._added.append(self.folder / path.name)

    def remove(self, pkgnames: Iterable[str]) -> None:
        """Take out entries that are in the database."""
        self._removed.update(pkgnames)

    @property
    def is_empty(self) -> bool:
        """Whether nothing would change."""
        return not self._added and not self._removed

    def prepare(self) -> None:
        """Sign the packages, make the new database and sign that. Nothing is visible yet.

        Raises RepoToolError, SigningError, OSError, and ProcessError where repo-add or repo-remove
        is missing or takes too long.
        """
        take_databases(self._layout, self.folder)
        before = self._records()
        self._sign_packages()
        if self._removed:
            self._run("repo-remove", sorted(self._removed))
        if self._added:
            self._run("repo-add", [f"./{path.name}" for path in self._added])
        self._check_records(before)
        self._sign_databases()

    def prepare_from(self, databases: Path) -> None:
        """Do as `prepare`, with the databases in this folder as they are. Raises SigningError."""
        for name in self._databases():
            if (databases / name).exists():
                shutil.copyfile(databases / name, self.folder / name)
        self._sign_packages()
        self._sign_databases()

    def entries(self) -> dict[str, Entry]:
        """Return what is in the new database. Raises ProcessError."""
        return read_entries(self.folder / self._layout.database)

    def finish(self, generation: Generation) -> None:
        """Add the record of what this leads to, and see that all survives a loss of power."""
        for path in self.folder.iterdir():
            with path.open("rb") as stream:
                # Everybody may read them.
                os.fchmod(stream.fileno(), 0o644)
                os.fsync(stream.fileno())
        self._age_databases()
        generation.write(self.folder / RECORD)
        sync_folder(self.folder)

    def _sign_packages(self) -> None:
        # What was published before is signed.
        self._signer.sign_all(
            path for path in self._added if not path.with_name(f"{path.name}.sig").exists()
        )

    def _sign_databases(self) -> None:
        self._signer.sign_all(
            self.folder / name for name in self._databases() if (self.folder / name).exists()
        )
        wanted = {*(path.name for path in self._added), *self._databases()}
        for path in self.folder.iterdir():
            # What was not taken in, and the links and backups that the tools make.
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name.removesuffix(".sig") not in wanted:
                path.unlink()

    def _records(self) -> dict[str, Record]:
        return read_records(self.folder / self._layout.database)

    def _check_records(self, before: Mapping[str, Record]) -> None:
        """Raise RepoToolError unless the new database says what was checked, and else the same."""
        after = self._records()
        for package in self._checked:
            problem = problem_with_record(after.get(package.pkgname, {}), package)
            if problem:
                raise RepoToolError(
                    f"repo-add made another entry of {package.path.name}: {problem}"
                )
        expected = {package.pkgname for package in self._checked}
        changed = {name for name in after if after[name] != before.get(name)} - expected
        # What was published elsewhere was checked there.
        published = len(self._added) - len(self._checked)
        gone = before.keys() - after.keys() - self._removed
        left = self._removed & after.keys() - expected - changed
        if len(changed) > published or gone or left:
            names = ", ".join(sorted({*changed, *gone, *left})[:_SHOWN])
            raise RepoToolError(f"the new database differs in what nobody has changed: {names}")

    def _databases(self) -> tuple[str, str]:
        return self._layout.files_database, self._layout.database

    def _age_databases(self) -> None:
        # pacman fetches databases and signatures only if they are newer, in whole seconds, than
        # those it has.
        for name in self._layout.databases:
            if not (self.folder / name).exists():
                continue
            live = self._layout.folder / name
            last = int(live.stat().st_mtime) + 1 if live.exists() else 0
            modified = max(int(time.time()), last)
            os.utime(self.folder / name, (modified, modified))

    def _run(self, tool: str, arguments: Sequence[str]) -> None:
        command = [tool, "--nocolor", self._layout.database, *arguments]
        try:
            run(command, cwd=self.folder, timeout=_TIMEOUT)
        except ProcessError as error:
            if error.returncode is None:
                raise
            raise RepoToolError(error.message) from error
