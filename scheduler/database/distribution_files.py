"""Who owns files in the distribution: its `.files` databases, in an index for quick answers.

The lists have millions of lines. The index has a number for each, and what changed in a database is
taken over when it is another one; it can be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
import zlib
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, TemporaryError
from caur_ci.syncdb import SyncPackage, read_entries
from scheduler.database.fileowners import Owner, spellings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

_log = logging.getLogger(__name__)

_FILES, _NAMES = ".files", ".db"
_WAIT = 120.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS source (identity TEXT);
CREATE TABLE IF NOT EXISTS packages (
  id INTEGER PRIMARY KEY, name TEXT UNIQUE, digest INTEGER, said TEXT
);
CREATE TABLE IF NOT EXISTS files (
  path INTEGER, package INTEGER, PRIMARY KEY (path, package)
) WITHOUT ROWID;
PRAGMA cache_size = -32768;
CREATE TEMPORARY TABLE fresh (path INTEGER, package INTEGER);
"""


@dataclass(frozen=True, slots=True)
class DistributionFiles:
    """The owners of files in pacman's databases `places`: `.files`, or folders with such.

    A `.db` stands for the `.files` beside it. Those of our own repositories, `ours`, are left out.
    The indexes are in the folder `cache`.
    """

    places: Sequence[Path] = ()
    ours: Collection[str] = ()
    cache: Path = Path()

    def owners(self, paths: Collection[bytes]) -> list[Owner]:
        """Return the packages that have some of the paths, with those. Raises TemporaryError."""
        found: list[Owner] = []
        for database in self._databases() if paths else ():
            with self._index(database) as index:
                found += _look_up(index, paths, database.stem)
        return found

    def refresh(self) -> None:
        """Take over what has changed, which may take half a minute. Raises TemporaryError."""
        for database in self._databases():
            with self._index(database):
                pass

    @contextmanager
    def _index(self, database: Path) -> Iterator[sqlite3.Connection]:
        key = hashlib.sha256(str(database).encode()).hexdigest()[:16]
        try:
            with _index_of(database, self.cache / f"{database.stem}-{key}.sqlite") as index:
                yield index
        except (OSError, CaurError, sqlite3.Error) as error:
            raise TemporaryError(
                f"the distribution's database {database} cannot be read: {error}",
                hint="DISTRIBUTION_DATABASES names it; `pacman -Fy` brings such databases.",
            ) from error

    def _databases(self) -> Iterator[Path]:
        for place in self.places:
            if place.is_dir():
                found = sorted(place.glob(f"*{_FILES}"))
            elif place.suffix == _NAMES:
                found = [beside] if (beside := place.with_suffix(_FILES)).exists() else []
            else:
                found = [place] if place.suffix == _FILES else []
            yield from (path for path in found if path.stem not in self.ours)


@contextmanager
def _index_of(database: Path, path: Path) -> Iterator[sqlite3.Connection]:
    """Open the index of a database as it is now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            connection = stack.enter_context(closing(_opened(path)))
            _follow(connection, database)
        except sqlite3.OperationalError:
            raise  # it is locked for long, or the disk is full
        except sqlite3.DatabaseError as error:
            _log.warning("%s is made anew: %s", path, error)
            stack.close()
            path.unlink(missing_ok=True)
            connection = stack.enter_context(closing(_opened(path)))
            _follow(connection, database)
        yield connection


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_WAIT, isolation_level=None)
    try:
        connection.executescript(_SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


def _look_up(connection: sqlite3.Connection, paths: Iterable[bytes], origin: str) -> list[Owner]:
    found: dict[int, set[bytes]] = {}
    for spelled, path in spellings(paths).items():
        rows = connection.execute("SELECT package FROM files WHERE path = ?", (_number(spelled),))
        for (package,) in rows:
            found.setdefault(package, set()).add(path)
    return [
        Owner(_package(connection, package), frozenset(files), origin)
        for package, files in found.items()
    ]


def _package(connection: sqlite3.Connection, package: int) -> SyncPackage:
    row = connection.execute("SELECT said FROM packages WHERE id = ?", (package,)).fetchone()
    name, version, base, *relations = json.loads(row[0])
    provides, conflicts, replaces = map(tuple, relations)
    return SyncPackage(
        name=name,
        version=version,
        base=base,
        provides=provides,
        conflicts=conflicts,
        replaces=replaces,
    )


def _follow(connection: sqlite3.Connection, database: Path) -> None:
    """Make the index fit the database, all of it or nothing."""
    status = database.stat()
    identity = f"{status.st_mtime_ns} {status.st_size} {status.st_ino}"
    if _identity(connection) == identity:
        return
    with _transaction(connection):
        if _identity(connection) != identity:
            _take_over(connection, database)
            connection.execute("DELETE FROM source")
            connection.execute("INSERT INTO source VALUES (?)", (identity,))


def _identity(connection: sqlite3.Connection) -> str:
    row = connection.execute("SELECT identity FROM source").fetchone()
    return str(row[0]) if row else ""


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _take_over(connection: sqlite3.Connection, database: Path) -> None:
    """Put into the index what the database says, with only those file lists that it lacks."""
    rows = connection.execute("SELECT name, id, digest FROM packages")
    known: dict[str, tuple[int, int]] = {name: (package, sum_) for name, package, sum_ in rows}
    free = max((package for package, _ in known.values()), default=0) + 1
    said: dict[str, str] = {}
    listed: dict[str, tuple[int, int]] = {}
    for entry in read_entries(database):
        if isinstance(entry, SyncPackage):
            relations = entry.provides, entry.conflicts, entry.replaces
            said[entry.name] = json.dumps([entry.name, entry.version, entry.base, *relations])
            continue
        digest = zlib.crc32(entry.lines)
        if known.get(entry.name, (0, -1))[1] == digest:
            listed[entry.name] = known[entry.name]
            continue
        listed[entry.name] = free, digest
        numbers = ((_number(path), free) for path in entry.lines.split(b"\n") if _is_file(path))
        connection.executemany("INSERT INTO fresh VALUES (?, ?)", numbers)
        free += 1
    gone = {package for package, _ in known.values()} - {package for package, _ in listed.values()}
    connection.execute(
        "DELETE FROM files WHERE package IN (SELECT value FROM json_each(?))",
        (json.dumps(list(gone)),),
    )
    connection.execute("INSERT OR IGNORE INTO files SELECT * FROM fresh ORDER BY path, package")
    connection.execute("DELETE FROM fresh")
    connection.execute("DELETE FROM packages")
    connection.executemany(
        "INSERT INTO packages VALUES (?, ?, ?, ?)",
        ((package, name, digest, said[name]) for name, (package, digest) in listed.items()),
    )


def _is_file(path: bytes) -> bool:
    return bool(path) and not path.endswith(b"/")


def _number(path: bytes) -> int:
    """Return what stands for a path; that of another one is the same by a rare chance only."""
    digest = hashlib.blake2b(path, digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
