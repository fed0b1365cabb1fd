"""The indexes of a repository: a line of JSON for each package, beside the databases."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Generic, TypeVar

from caur_ci.errors import CaurError
from caur_ci.linkage.imports import PackageImports
from caur_ci.linkage.record import PackageLinkage
from caur_ci.syncdb.compression import unpacked
from caur_ci.syncdb.errors import SyncDatabaseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

MAX_LINE = 8 * 1024**2
MAX_SIZE = 4 * 1024**3
MAX_PACKAGES = 200_000


class LinkageIndexError(CaurError):
    """An index cannot be read."""


T = TypeVar("T", PackageLinkage, PackageImports)


@dataclass(frozen=True, slots=True)
class IndexKind(Generic[T]):
    """A kind of index: its name in the head, its version, and how its lines are read."""

    name: str
    version: int
    read: Callable[[bytes], T]

    @property
    def head(self) -> bytes:
        """The first line."""
        return json.dumps({"format": f"caur-{self.name}", "version": self.version}).encode() + b"\n"

    def file(self, repository: str) -> str:
        """Return the name of the index of a repository, beside its databases."""
        return f"{repository}.{self.name}.jsonl.zst"


LINKAGE = IndexKind("linkage", 1, PackageLinkage.from_line)
IMPORTS = IndexKind("imports", 1, PackageImports.from_line)


def read_index(kind: IndexKind[T], source: Path | bytes) -> Iterator[T]:
    """Yield the packages of an index, a file or what one holds.

    Raises LinkageIndexError, ProcessError where the program for its compression is missing, and
    OSError where the file cannot be read.
    """
    for number, line in enumerate(read_lines(kind, source), start=2):
        try:
            yield kind.read(line)
        except ValueError as error:
            raise LinkageIndexError(f"line {number} of the index: {error}") from error


def read_lines(kind: IndexKind[T], source: Path | bytes) -> Iterator[bytes]:
    """Yield the lines of an index as they are, without the line feed. Raises as `read_index`."""
    size = 0
    try:
        with unpacked(source) as stream:
            if stream.readline(MAX_LINE) != kind.head:
                raise LinkageIndexError(
                    "it is no index, or one of another version",
                    hint="`caur-ci repo index` on the server of the repository writes it anew.",
                )
            for number, line in enumerate(iter(lambda: stream.readline(MAX_LINE), b""), start=1):
                size += len(line)
                if size > MAX_SIZE or number > MAX_PACKAGES or not line.endswith(b"\n"):
                    raise LinkageIndexError("the index is cut off, or larger than one may be")
                yield line[:-1]
    except SyncDatabaseError as error:
        raise LinkageIndexError(f"the index cannot be read: {error.message}") from error


def write_lines(
    kind: IndexKind[PackageLinkage] | IndexKind[PackageImports],
    lines: Iterable[bytes],
    stream: IO[bytes],
) -> None:
    """Write an index, without compression. A line that nobody would read is left out."""
    stream.write(kind.head)
    for line in lines:
        if len(line) < MAX_LINE:
            stream.write(line + b"\n")
