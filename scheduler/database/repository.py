"""One pacman repository for one architecture, and the transactions that change it."""

from __future__ import annotations

import logging
import os
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Self

from caur_ci.errors import CaurError, ProcessError, TemporaryError
from caur_ci.locks import locked, try_lock
from scheduler.database.entries import read_entries, read_records
from scheduler.database.forms import database_in_place, take_databases
from scheduler.database.generations import NOTHING, RECORD, Generation, Generations, PublicationKind
from scheduler.database.lists import write_lists
from scheduler.database.superseded import Superseded
from scheduler.database.transaction import Transaction
from scheduler.files import make_public_folder, sync_folder
from scheduler.settings import DEFAULT_ARCHIVE_DAYS, DEFAULT_GENERATIONS, DEFAULT_GRACE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scheduler.database.entries import Entry, Record
    from scheduler.database.layout import Layout
    from scheduler.database.signing import Signer
    from scheduler.settings import DatabaseSettings

_log = logging.getLogger(__name__)


class RepositoryError(CaurError):
    """A pacman repository on disk cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long what is not listed any more is kept; see DatabaseSettings.

    `grace` is in seconds, `archive_days` in days, `generations` a number of states.
    """

    grace: int = DEFAULT_GRACE
    archive_days: int = DEFAULT_ARCHIVE_DAYS
    generations: int = DEFAULT_GENERATIONS

    @classmethod
    def of(cls, settings: DatabaseSettings) -> Self:
        """Return what the settings say about it."""
        return cls(
            grace=settings.grace,
            archive_days=settings.archive_days,
            generations=settings.generations,
        )


class PacmanRepository:
    """A repository that is locked. Made by `open_repository`."""

    def __init__(self, layout: Layout, retention: Retention | None) -> None:
        self.layout = layout
        self.generations = Generations(layout.private / "generations")
        self.superseded = Superseded(layout)
        self._retention = retention
        self._staging = layout.private / "staging"
        self._commit = layout.private / "commit"
        # What was read last, and of which file.
        self._read: tuple[tuple[int, int], dict[str, Entry]] | None = None

    def entries(self) -> dict[str, Entry]:
        """Return what is published. Raises RepositoryError and DatabaseFormError."""
        path = database_in_place(self.layout, "db")
        if path is None:
            return {}
        status = path.stat()
        version = (status.st_ino, status.st_mtime_ns)
        if self._read is None or self._read[0] != version:
            try:
                self._read = (version, read_entries(path))
            except ProcessError as error:
                raise RepositoryError(f"{path} cannot be read: {error.message}") from error
        return self._read[1]

    def records(self) -> dict[str, Record]:
        """Return all that the database says of each package. Raises RepositoryError."""
        path = database_in_place(self.layout, "db")
        if path is None:
            return {}
        try:
            return read_records(path)
        except ProcessError as error:
            raise RepositoryError(f"{path} cannot be read: {error.message}") from error

    def current(self) -> Generation:
        """Return the published state, as the next generation where somebody else has changed it.

        Raises RepositoryError and GenerationError.
        """
        latest = self.generations.latest()
        entries = self.entries()
        if entries == latest.packages:
            return latest
        now = time.time()
        return latest.followed_by(
            entries,
            kind=PublicationKind.FOUND,
            time=now,
            folders=latest.folders,
            sources=latest.sources,
        )

    @contextmanager
    def transaction(self, signer: Signer) -> Iterator[Transaction]:
        """Provide a change that becomes visible with `commit`, or not at all."""
        self._staging.mkdir()
        try:
            yield Transaction(self.layout, self._staging, signer)
        finally:
            self.discard()

    def commit(
        self,
        transaction: Transaction,
        *,
        kind: PublicationKind = PublicationKind.PUBLISHED,
        folders: Mapping[str, str] | None = None,
        sources: Mapping[str, str] | None = None,
        origin: int = 0,
    ) -> Generation:
        """Publish a prepared transaction.

        `folders` and `sources` tell where the packages that it brings are from.

        Files that are no longer listed stay for the time of grace. Once this has begun, it is
        finished even if the process is killed: by the next one that opens the repository.
        """
        before = self.current()
        if before.kind is PublicationKind.FOUND and before is not NOTHING:
            self._keep_found(before)
        after = before.followed_by(
            transaction.entries(),
            kind=kind,
            time=time.time(),
            folders={**before.folders, **(folders or {})},
            sources={**before.sources, **(sources or {})},
            origin=origin,
        )
        transaction.finish(after)
        self._staging.rename(self._commit)
        sync_folder(self.layout.private)
        self.finish_commit()
        self._forget_what_is_lost(before, after)
        self.sweep()
        return after

    def _forget_what_is_lost(self, before: Generation, after: Generation) -> None:
        """Forget generations that need a file which was lost, now that another has its name."""
        listed = {entry.filename: entry.sha256 for entry in after.packages.values()}

        def is_replaced(entry: Entry) -> bool:
            return listed.get(entry.filename, entry.sha256) != entry.sha256

        if not any(map(is_replaced, before.packages.values())):
            return
        for number in self.generations.numbers()[:-1]:
            entries = self.generations.get(number).packages.values()
            if any(is_replaced(entry) and not self.superseded.find(entry) for entry in entries):
                _log.warning("generation %d needs a file that is lost, and is forgotten", number)
                self.generations.forget(number)

    def finish_commit(self) -> None:
        """Go on where a commit was interrupted, or do nothing.

        Raises GenerationError and OSError.
        """
        record = self._commit / RECORD
        if record.exists():
            self._put_into_place(Generation.read(record))
            # Without its record, a commit is over.
            record.unlink()
        if self._commit.exists():
            self._commit.rmdir()

    def sweep(self) -> None:
        """Forget old generations, and move on the files whose time is over.

        Raises GenerationError and OSError.
        """
        if self._retention is None:
            return
        self.generations.prune(self._retention.generations)
        self.superseded.sweep(
            grace=self._retention.grace,
            archive_days=self._retention.archive_days,
            needed=self.generations.needed,
            now=time.time(),
        )
        # Also if nothing was moved: who moved something may have been killed before this.
        write_lists(self.layout, self.entries().values(), updated=None)

    def discard(self) -> None:
        """Remove what is left of a change that never became one."""
        shutil.rmtree(self._staging, ignore_errors=True)

    def _put_into_place(self, generation: Generation) -> None:
        """Make what lies in the folder of the commit visible. May be interrupted anywhere."""
        make_public_folder(self.layout.folder)
        before = self.generations.latest(before=generation.number).packages.values()
        self.superseded.leave(before, generation.packages, now=generation.time)
        # Before any of the databases is moved: of a generation that is there, all is there.
        databases = [self._commit / name for name in self.layout.databases]
        self.generations.add(generation, [path for path in databases if path.exists()])
        self._move_packages(generation.time)
        sync_folder(self.layout.folder)
        self._move_databases()
        self.superseded.settle(generation.packages.values())
        self.link()
        sync_folder(self.layout.folder)
        write_lists(self.layout, generation.packages.values(), updated=generation.time)

    def _move_packages(self, now: float) -> None:
        aside = {RECORD, *self.layout.databases}
        for path in sorted(self._commit.iterdir()):
            if path.name not in aside:
                if not path.name.endswith(".sig"):
                    self.superseded.make_room(path.name, now=now)
                path.rename(self.layout.folder / path.name)

    def _move_databases(self) -> None:
        # A database and its signature are two files: the time between those two renames is all
        # that a reader can fall into, so there is nothing else in between.
        moves = [
            (os.fspath(self._commit / name), os.fspath(self.layout.folder / name))
            for name in self.layout.databases
            if (self._commit / name).exists()
        ]
        for source, target in moves:
            os.rename(source, target)  # noqa: PTH104 - nothing else in between

    def _keep_found(self, generation: Generation) -> None:
        """Keep a state that somebody else has made, with its databases."""
        paths = [self.layout.folder / name for name in self.layout.databases]
        if (self.layout.folder / self.layout.database).exists():
            self.generations.add(generation, [path for path in paths if path.exists()])
            return
        with TemporaryDirectory(dir=self.layout.private, prefix=".found-") as folder:
            take_databases(self.layout, Path(folder))
            self.generations.add(generation, sorted(Path(folder).iterdir()))

    def link(self) -> None:
        """Put the links into place by which pacman asks for the databases."""
        for name, target in self.layout.links.items():
            link = self.layout.folder / name
            if not link.is_symlink() or link.readlink() != Path(target):
                fresh = self.layout.private / "link"
                fresh.unlink(missing_ok=True)
                fresh.symlink_to(target)
                fresh.rename(link)


@contextmanager
def open_repository(
    layout: Layout, retention: Retention | None = None, *, wait: bool = True
) -> Iterator[PacmanRepository]:
    """Lock a repository, and finish or undo what was interrupted there.

    Without `retention` everything is kept that is there now. Waits for other processes that have
    it, or without `wait` raises TemporaryError. Raises GenerationError where the record of an
    interrupted change cannot be read, and OSError.
    """
    make_public_folder(layout.home)
    layout.private.mkdir(parents=True, exist_ok=True)
    with _locked(layout, wait=wait):
        repository = PacmanRepository(layout, retention)
        repository.finish_commit()
        repository.discard()
        yield repository


@contextmanager
def _locked(layout: Layout, *, wait: bool) -> Iterator[None]:
    path = layout.private / "lock"
    if wait:
        with locked(path):
            yield
        return
    descriptor = try_lock(path)
    if descriptor is None:
        raise TemporaryError(f"another process works on {layout.name}/{layout.arch}")
    try:
        yield
    finally:
        os.close(descriptor)
