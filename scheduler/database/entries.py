"""What a pacman database says is in a repository."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.process import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TIMEOUT = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One package in a repository. `size` is that of its file."""

    name: str
    base: str
    version: str
    arch: str
    filename: str
    size: int
    sha256: str


def read_entries(database: Path) -> dict[str, Entry]:
    """Return the packages in a `.db.tar.*` or `.files.tar.*` by name; none if it does not exist.

    Raises ProcessError when it cannot be read.
    """
    if not database.exists():
        return {}
    # A database holds one small file for each package; one after the other they are one text.
    command: list[str | Path] = ["bsdtar", "-xOf", database]
    if ".files.tar" in database.name:
        # bsdtar calls it an error when there are none.
        if b"/desc" not in run(["bsdtar", "-tf", database], timeout=_TIMEOUT).stdout:
            return {}
        command += ["--include", "*/desc"]
    text = run(command, timeout=_TIMEOUT).stdout.decode("utf-8", "replace")
    return {entry.name: entry for entry in _entries(text)}


def _entries(text: str) -> Iterator[Entry]:
    record: dict[str, str] = {}
    for field, value in _fields(text):
        if field == "FILENAME" and record:
            yield _entry(record)
            record = {}
        record[field] = value
    if record:
        yield _entry(record)


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """Yield each `%FIELD%` with its first value; the values may look like fields themselves."""
    field = ""
    for line in text.split("\n"):
        if not line:
            field = ""
        elif not field:
            field = line.strip("%")
            fresh = True
        elif fresh:
            yield field, line
            fresh = False


def _entry(record: dict[str, str]) -> Entry:
    name = record.get("NAME", "")
    size = record.get("CSIZE", "")
    return Entry(
        name=name,
        base=record.get("BASE", name),
        version=record.get("VERSION", ""),
        arch=record.get("ARCH", ""),
        filename=record.get("FILENAME", ""),
        size=int(size) if size.isdecimal() else 0,
        sha256=record.get("SHA256SUM", ""),
    )
