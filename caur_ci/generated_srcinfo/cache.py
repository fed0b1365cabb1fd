"""What was made of PKGBUILDs before, in one SQLite file.

Nothing depends on it: where it cannot be used, everything is made anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS srcinfo (
  evaluator TEXT NOT NULL, key TEXT NOT NULL, content BLOB, doubt TEXT NOT NULL,
  PRIMARY KEY (evaluator, key)
)
"""
# Each is some kilobytes; a large repository has some thousand folders.
_MOST = 50_000
_WAIT = 5.0


@dataclass(frozen=True, slots=True)
class Generated:
    """What a PKGBUILD has as `.SRCINFO`; None where it is not sure, and why.

    `lasts` is whether another try must come to the same.
    """

    content: bytes | None = None
    doubt: str = ""
    lasts: bool = True


class SrcinfoCache:
    """Keeps what one version of the evaluator made, by keys that stand for what it was made of."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, keys: Collection[str]) -> dict[str, Generated]:
        """Return what is known of `keys`."""
        found: dict[str, Generated] = {}

        def look_up(database: sqlite3.Connection) -> None:
            rows = database.execute(
                "SELECT key, content, doubt FROM srcinfo "
                "WHERE evaluator = ? AND key IN (SELECT value FROM json_each(?))",
                (evaluator(), json.dumps(list(keys))),
            )
            found.update((key, Generated(content, doubt)) for key, content, doubt in rows)

        self._use(look_up)
        return found

    def write(self, made: Mapping[str, Generated]) -> None:
        """Keep what was made; forget what other evaluators made, and the oldest of very many."""
        rows = [(evaluator(), key, one.content, one.doubt) for key, one in made.items()]

        def keep(database: sqlite3.Connection) -> None:
            database.executemany("INSERT OR REPLACE INTO srcinfo VALUES (?, ?, ?, ?)", rows)
            database.execute("DELETE FROM srcinfo WHERE evaluator != ?", (evaluator(),))
            database.execute(
                "DELETE FROM srcinfo WHERE rowid <= (SELECT max(rowid) FROM srcinfo) - ?",
                (max(_MOST, len(rows)),),
            )

        self._use(keep)

    def _use(self, action: Callable[[sqlite3.Connection], None]) -> None:
        """Do something with the database; whatever goes wrong with it harms nobody."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with (
                contextlib.closing(sqlite3.connect(self._path, timeout=_WAIT)) as database,
                database,
            ):
                database.execute(_SCHEMA)
                action(database)
        except sqlite3.OperationalError:
            pass  # locked for too long, or read-only
        except sqlite3.DatabaseError:
            with contextlib.suppress(OSError):
                self._path.unlink()  # no such file as ours: the next one makes it anew
        except OSError:
            pass


@cache
def evaluator() -> str:
    """Return what stands for the evaluator as it is: another one may come to other results."""
    folder = files("caur_ci.pkgbuild")
    digest = hashlib.sha256()
    for module in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if module.name.endswith(".py"):
            digest.update(module.read_bytes())
    for library in ("tree-sitter", "tree-sitter-bash"):
        digest.update(version(library).encode())
    return digest.hexdigest()[:16]
