"""The index of a repository: a line of JSON for each package, compressed, beside the databases."""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING

from caur_ci.errors import CaurError
from caur_ci.linkage.record import PackageLinkage
from caur_ci.syncdb.compression import unpacked
from caur_ci.syncdb.errors import SyncDatabaseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

FORMAT, VERSION = "caur-linkage", 1
MAX_LINE = 8 * 1024**2
MAX_SIZE = 1024**3
MAX_PACKAGES = 200_000


class LinkageIndexError(CaurError):
    """An index cannot be read."""


def index_name(repository: str) -> str:
    """Return the name of the index of a repository, beside its databases."""
    return f"{repository}.linkage.jsonl.zst"


def read_index(source: Path | bytes) -> Iterator[PackageLinkage]:
    """Yield the packages of an index, a file or what one holds.

    Raises LinkageIndexError, ProcessError where the program for its compression is missing, and
    OSError where the file cannot be read.
    """
    size = 0
    try:
        with unpacked(source) as stream:
            _check_head(stream.readline(MAX_LINE))
            for number, line in enumerate(iter(lambda: stream.readline(MAX_LINE), b""), start=2):
                size += len(line)
                if size > MAX_SIZE or number > MAX_PACKAGES or not line.endswith(b"\n"):
                    raise LinkageIndexError("the index is cut off, or larger than one may be")
                yield _package(line, number)
    except SyncDatabaseError as error:
        raise LinkageIndexError(f"the index cannot be read: {error.message}") from error


def write_index(packages: Iterable[PackageLinkage], stream: IO[bytes]) -> None:
    """Write an index, without compression."""
    stream.write(json.dumps({"format": FORMAT, "version": VERSION}).encode() + b"\n")
    for package in packages:
        stream.write(package.to_line() + b"\n")


def _check_head(line: bytes) -> None:
    try:
        head = json.loads(line)
        known = (head["format"], head["version"]) == (FORMAT, VERSION)
    except (ValueError, TypeError, KeyError, RecursionError):
        known = False
    if not known:
        raise LinkageIndexError(
            "it is no index, or one of another version",
            hint="`caur-ci repo index` on the server of the repository writes it anew.",
        )


def _package(line: bytes, number: int) -> PackageLinkage:
    try:
        return PackageLinkage.from_line(line)
    except ValueError as error:
        raise LinkageIndexError(f"line {number} of the index: {error}") from error
