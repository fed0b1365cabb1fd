"""One pacman repository for one architecture, and the transactions that change it."""

from __future__ import annotations

import json
import shutil
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, ProcessError
from caur_ci.names import check_architecture, check_repository_name
from scheduler.database.entries import read_entries
from scheduler.database.transaction import Transaction
from scheduler.files import sync_folder
from scheduler.locks import locked

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from scheduler.database.entries import Entry
    from scheduler.database.signing import Signer

_KINDS = ("files", "db")


class RepositoryError(CaurError):
    """A pacman repository on disk cannot be used."""


class Repository:
    """`REPO_PATH/<name>/<arch>`, locked. Made by `open_repository`.

    `private` is a folder beside it on the same file system: what is renamed from there to here
    appears at once.
    """

    def __init__(self, folder: Path, private: Path, name: str, signer: Signer, grace: int) -> None:
        self.folder = folder
        self.name = name
        self._private = private
        self._signer = signer
        self._grace = grace
        self._commit = private / "commit"
        self._superseded = private / "superseded.json"

    def entries(self) -> dict[str, Entry]:
        """Return what is published. Raises RepositoryError."""
        try:
            return read_entries(self.folder / f"{self.name}.db.tar.zst")
        except ProcessError as error:
            raise RepositoryError(
                f"the database of {self.folder} cannot be read: {error.message}"
            ) from error

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Provide a change that becomes visible with `commit`, or not at all."""
        staging = self._private / "staging"
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        try:
            yield Transaction(self.folder, staging, self.name, self._signer)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def commit(self, transaction: Transaction, *, at_once: Collection[str] = ()) -> None:
        """Publish a prepared transaction.

        Files that are no longer listed stay for the time of grace, those named in `at_once` go.
        Once this has begun, it is finished even if the process is killed: by the next one that
        opens the repository.
        """
        now = time.time()
        before = {entry.filename for entry in self.entries().values()}
        after = {entry.filename for entry in transaction.entries().values()}
        leaving = {name: 0.0 if name in at_once else now for name in before - after}
        self._save_superseded(self._load_superseded() | leaving)
        transaction.make_durable()
        transaction.folder.rename(self._commit)
        sync_folder(self._private)
        self.finish_commit()
        self.sweep()

    def finish_commit(self) -> None:
        """Go on where a commit was interrupted, or do nothing."""
        if not self._commit.is_dir():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        # What is listed comes before the lists. A database and its signature are two files: the
        # time between those two renames is all that a reader can fall into.
        for path in sorted(self._commit.iterdir(), key=self._publishing_order):
            path.rename(self.folder / path.name)
        self._link()
        sync_folder(self.folder)
        self._commit.rmdir()

    def sweep(self) -> None:
        """Remove superseded files whose time of grace is over."""
        superseded = self._load_superseded()
        due = {name for name, since in superseded.items() if since + self._grace <= time.time()}
        if not due:
            return
        listed = {entry.filename for entry in self.entries().values()}
        for name in due - listed:
            (self.folder / name).unlink(missing_ok=True)
            (self.folder / f"{name}.sig").unlink(missing_ok=True)
        self._save_superseded({name: superseded[name] for name in superseded.keys() - due})

    def _publishing_order(self, path: Path) -> tuple[int, str]:
        for rank, kind in enumerate(_KINDS, start=1):
            if path.name.removesuffix(".sig") == f"{self.name}.{kind}.tar.zst":
                return rank, path.name
        return 0, path.name

    def _link(self) -> None:
        for kind in _KINDS:
            for suffix in ("", ".sig"):
                link = self.folder / f"{self.name}.{kind}{suffix}"
                target = f"{self.name}.{kind}.tar.zst{suffix}"
                if not link.is_symlink() or link.readlink() != Path(target):
                    fresh = self._private / "link"
                    fresh.unlink(missing_ok=True)
                    fresh.symlink_to(target)
                    fresh.rename(link)

    def _load_superseded(self) -> dict[str, float]:
        try:
            data: dict[str, float] = json.loads(self._superseded.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return data

    def _save_superseded(self, superseded: dict[str, float]) -> None:
        fresh = self._superseded.with_suffix(".new")
        fresh.write_text(json.dumps(superseded, indent=0, sort_keys=True), encoding="utf-8")
        fresh.rename(self._superseded)


@contextmanager
def open_repository(
    root: Path, name: str, arch: str, signer: Signer, *, grace: int
) -> Iterator[Repository]:
    """Lock the repository `name` for `arch` below `root`, finish what was interrupted.

    Waits for other processes that have it. Raises RepositoryError and OSError.
    """
    check_repository_name(name)
    check_architecture(arch)
    private = root / name / ".caur" / arch
    private.mkdir(parents=True, exist_ok=True)
    with locked(private / "lock"):
        repository = Repository(root / name / arch, private, name, signer, grace)
        repository.finish_commit()
        yield repository
