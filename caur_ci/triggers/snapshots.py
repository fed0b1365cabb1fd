"""What is known of library databases: the versions in each, and how its server called that state.

Stored as text, a line for each library below a line of JSON for each database: git stores the
difference, and few libraries change between two runs.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections import defaultdict
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from caur_ci.names import is_package_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# All distributions together have fewer.
MAX_LIBRARIES = 200_000
_SUFFIX = re.compile(r"\.(?:db|files)(?:\.tar(?:\.[a-z0-9]+)?)?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSnapshot:
    """The versions in a database by pkgbase, as they were when it was read last.

    `url` is without credentials. `etag` and `modified` are what the server said of it, as it said
    it.
    """

    url: str
    etag: str = ""
    modified: str = ""
    versions: Mapping[str, str]

    @property
    def name(self) -> str:
        """The name of the repository, as its file has it."""
        return _SUFFIX.sub("", posixpath.basename(urlsplit(self.url).path))


def snapshots_to_bytes(snapshots: Iterable[DatabaseSnapshot]) -> bytes:
    """Return snapshots as they are stored."""
    lines: list[str] = []
    for one in snapshots:
        head = {"url": one.url, "etag": one.etag, "modified": one.modified}
        lines.append(json.dumps(head, separators=(",", ":")))
        lines += (f"{library}:{version}" for library, version in sorted(one.versions.items()))
    return "".join(f"{line}\n" for line in lines).encode()


def snapshots_from_bytes(content: bytes) -> tuple[DatabaseSnapshot, ...]:
    """Read what is stored; what makes no sense is as if it was not there."""
    found: list[DatabaseSnapshot] = []
    versions: dict[str, str] = {}
    for line in content.decode("utf-8", "replace").split("\n"):
        if line.startswith("{"):
            versions = {}
            found += _head(line, versions)
        else:
            library, _, version = line.partition(":")
            if version and is_package_name(library):
                versions[library] = version
    return tuple(found)


def _head(line: str, versions: Mapping[str, str]) -> Iterable[DatabaseSnapshot]:
    try:
        data = json.loads(line)
        texts = {key: data[key] for key in ("url", "etag", "modified")}
    except (ValueError, KeyError, TypeError, RecursionError):
        return ()
    if not all(isinstance(text, str) for text in texts.values()):
        return ()
    return (DatabaseSnapshot(**texts, versions=versions),)


def version_state_of(
    snapshots: Iterable[DatabaseSnapshot], before: bytes, *, complete: bool
) -> bytes:
    """Return the file `.version-state` as the existing system writes it: `pkgbase:version`, sorted.

    A library that several databases have is there several times. Where not all databases are known
    (not `complete`), libraries that are in none of the others stay as they were in `before`.
    """
    versions = [it.versions for it in snapshots]
    lines = [f"{name}:{version}" for each in versions for name, version in each.items()]
    if not complete:
        known = set(chain.from_iterable(versions))
        old = before.decode("utf-8", "replace").split("\n")
        lines += (line for line in old if line and line.partition(":")[0] not in known)
    # In the order of bytes, since the existing system compares such files with comm.
    return b"".join(sorted(f"{line}\n".encode() for line in lines))


def parse_version_state(content: bytes) -> dict[str, tuple[str, ...]]:
    """Return the versions of each library in a `.version-state`; other lines count for nothing."""
    found: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    for line in content.decode("utf-8", "replace").split("\n"):
        library, _, version = line.partition(":")
        if version and is_package_name(library):
            found[library] += (version,)
    return dict(found)
