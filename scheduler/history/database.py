"""The SQLite file of the history: one process writes, any number of others read meanwhile."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from caur_ci.errors import CaurError, TemporaryError
from caur_ci.locks import try_lock
from scheduler.history.schema import STEPS
from scheduler.private import make_private

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_log = logging.getLogger(__name__)

FILE = "history.sqlite"
_BESIDE = ("-wal", "-shm")
_BUSY_WAIT = 5.0
# A pattern with many stars takes long to compare.
_LONGEST_PATTERN = 100
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class HistoryError(CaurError):
    """A history that cannot be used at all, such as one of a later version."""


class DamagedError(TemporaryError):
    """The file is not what SQLite has written."""


class Database:
    """The file `history.sqlite` in a folder. Safe to use from several threads.

    All errors that have to do with the file or the disk are TemporaryErrors.
    """

    def __init__(self, folder: Path, *, read_only: bool) -> None:
        """Open the file, and unless `read_only` make it or bring it to this version's schema.

        A reader waits for nobody: where there is no file yet, nothing is known, until there is one.

        Raises HistoryError for one of a later version, TemporaryError where another process writes
        it, and CaurError for a folder that is not ours.
        """
        folder = folder.absolute()
        self._path = folder / FILE
        self._read_only = read_only
        self._guard = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._opened: tuple[int, int] | None = None
        self._lock: int | None = None
        if read_only:
            self.read("SELECT 1")
            return
        make_private(folder, "the history", hint="HISTORY_PATH says where it is.")
        with self._translated():
            self._lock = try_lock(folder / "lock")
        if self._lock is None:
            raise TemporaryError(f"another process writes the history in {folder}")
        try:
            self._open_for_writing()
        except BaseException:
            self.close()
            raise

    def read(self, question: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """Return the rows that answer `question`; none where there is no history yet."""
        with self._guard, self._translated():
            connection = self._for_reading() if self._read_only else self._connection
            return connection.execute(question, values).fetchall() if connection else []

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """Provide the means of a change that happens as a whole or not at all.

        A file that turns out to be damaged is moved aside, and a new one begun; the change failed
        all the same.
        """
        with self._guard, self._translated():
            if self._connection is None:
                self._open_for_writing()
            connection = self._connection
            if connection is None or self._read_only:
                raise HistoryError("this history is open for reading only")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # What fails here is told by what failed before.
                if connection.in_transaction:
                    connection.rollback()
                raise

    def close(self) -> None:
        """Close the file, and let another process write it."""
        with self._guard:
            self._disconnect()
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None

    def _open_for_writing(self) -> None:
        try:
            with self._translated():
                self._connection = self._prepared()
        except DamagedError as error:
            self._set_aside(error)
            with self._translated():
                self._connection = self._prepared()

    def _prepared(self) -> sqlite3.Connection:
        # SQLite gives the files beside it the same mode.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        connection = _connect(self._path, "rwc")
        try:
            self._check(connection)
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            _migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _check(self, connection: sqlite3.Connection) -> None:
        _check_version(connection, self._path)
        (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if answer != "ok":
            raise DamagedError(f"{self._path} is damaged: {answer}")

    def _set_aside(self, error: DamagedError) -> None:
        self._disconnect()
        mark = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        aside = self._path.with_name(f"{FILE}.damaged-{mark}")
        for suffix in ("", *_BESIDE):
            source = self._path.with_name(f"{FILE}{suffix}")
            if source.exists():
                source.rename(aside.with_name(f"{aside.name}{suffix}"))
        _log.warning(
            "%s; it is now %s, and a new history is begun with what is known from elsewhere",
            error.message,
            aside.name,
        )

    def _for_reading(self) -> sqlite3.Connection | None:
        """Return a connection to the file that is in place now, None where there is none."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._disconnect()
            return None
        file = (status.st_dev, status.st_ino)
        if self._connection is None or self._opened != file:
            self._disconnect()
            connection = _connect(self._path, "ro")
            try:
                version = _check_version(connection, self._path)
            except BaseException:
                connection.close()
                raise
            if version < len(STEPS):  # whoever writes it is about to bring it up to date
                connection.close()
                return None
            self._connection, self._opened = connection, file
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._opened = None

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", None)
            if code is None or isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
                raise
            primary = code & 0xFF
            if primary == sqlite3.SQLITE_ERROR:
                raise
            if primary not in _DAMAGED:
                raise self._unusable(error) from error
            damaged = DamagedError(f"{self._path} is damaged: {error}")
            if not self._read_only and self._connection is not None:
                self._set_aside(damaged)
            raise damaged from error
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> TemporaryError:
        return TemporaryError(
            f"the history {self._path} cannot be used: {error}",
            hint="Is the disk full, or does the history belong to somebody else? HISTORY_PATH says "
            "where it is.",
        )


def check_pattern(pattern: str) -> str:
    """Return `pattern` if it is of a length that can be looked for. Raises HistoryError."""
    if len(pattern) > _LONGEST_PATTERN:
        raise HistoryError(f"a pattern has at most {_LONGEST_PATTERN} characters")
    return pattern


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={mode}",
        uri=True,
        timeout=_BUSY_WAIT,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.row_factory = sqlite3.Row
    return connection


def _check_version(connection: sqlite3.Connection, path: Path) -> int:
    """Return how many steps were run. Raises HistoryError for more than there are."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(STEPS):
        raise HistoryError(
            f"{path} was written by a later version of caur-ci (schema {version}, this one knows "
            f"{len(STEPS)})",
            hint="Use that version, or name another folder with HISTORY_PATH.",
        )
    return int(version)


def _migrate(connection: sqlite3.Connection) -> None:
    """Run the steps that were not run yet, each as a whole."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for number, step in enumerate(STEPS[version:], start=version + 1):
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{step}\nPRAGMA user_version = {number};\nCOMMIT;"
        )
