"""What a pacman database says is in a repository."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.process import run
from scheduler.job import PublishedFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from scheduler.database.packages import PackageFile

    # The fields of one package, such as `%NAME%`, each with its values.
    Record = Mapping[str, Sequence[str]]

_TIMEOUT = 300.0
_MAX_DIGITS = 18
# What pacman goes by in a database, and where in a package's `.PKGINFO` that is from.
_FIELDS = {
    "NAME": "pkgname",
    "BASE": "pkgbase",
    "VERSION": "pkgver",
    "ARCH": "arch",
    "GROUPS": "group",
    "REPLACES": "replaces",
    "CONFLICTS": "conflict",
    "PROVIDES": "provides",
    "DEPENDS": "depend",
}
_FILES = re.compile(r"\.files(\.tar[^/]*)?$")


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

    @property
    def as_published(self) -> PublishedFile:
        """What others have to know of its file."""
        return PublishedFile(
            name=self.name, version=self.version, filename=self.filename, size=self.size
        )


def read_entries(database: Path, *, largest: int | None = None) -> dict[str, Entry]:
    """Return the packages in a `.db.tar.*` or `.files.tar.*` by name; none if it does not exist.

    These are databases as repo-add writes them: a `desc` file for each package, with lines like
    `%NAME%` that are followed by values. `largest` is how many bytes these may have in all.
    Raises ProcessError when it cannot be read.
    """
    records = read_records(database, largest=largest)
    return {name: entry_of(record) for name, record in records.items()}


def read_records(database: Path, *, largest: int | None = None) -> dict[str, Record]:
    """Return all that such a database says of each package, by its name."""
    if not database.exists():
        return {}
    # A database holds one small file for each package; one after the other they are one text.
    command: list[str | Path] = ["bsdtar", "-xOf", database]
    if _FILES.search(database.name):
        # bsdtar calls it an error when there are none.
        if (
            b"/desc"
            not in run(["bsdtar", "-tf", database], timeout=_TIMEOUT, largest_output=largest).stdout
        ):
            return {}
        command += ["--include", "*/desc"]
    text = run(command, timeout=_TIMEOUT, largest_output=largest).stdout.decode("utf-8", "replace")
    return {record.get("NAME", [""])[0]: record for record in _records(text)}


def _records(text: str) -> Iterator[Record]:
    record: dict[str, list[str]] = {}
    values: list[str] | None = None
    for line in text.split("\n"):
        if not line:
            values = None
        elif values is not None:  # which may look like a field itself
            values.append(line)
        else:
            if line == "%FILENAME%" and record:
                yield record
                record = {}
            values = record.setdefault(line.strip("%"), [])
    if record:
        yield record


def entry_of(record: Record) -> Entry:
    """Return what identifies a package of a database."""
    first = {field: values[0] for field, values in record.items() if values}
    name, size = first.get("NAME", ""), first.get("CSIZE", "")
    return Entry(
        name=name,
        base=first.get("BASE", name),
        version=first.get("VERSION", ""),
        arch=first.get("ARCH", ""),
        filename=first.get("FILENAME", ""),
        size=int(size) if size.isdecimal() and len(size) <= _MAX_DIGITS else 0,
        sha256=first.get("SHA256SUM", ""),
    )


def problem_with_record(record: Record, package: PackageFile) -> str:
    """Return in what the entry of a package differs from what the package says, "" in nothing."""
    wanted = {
        "FILENAME": (package.path.name,),
        **{field: package.info.get(key, ()) for field, key in _FIELDS.items()},
    }
    for field, values in wanted.items():
        said = tuple(value.strip() for value in values if value.strip())
        if said != tuple(record.get(field, ())):
            return f"it has %{field}% {list(record.get(field, ()))}, the package {list(said)}"
    return ""
