"""What was last seen of each package's source, a line of JSON for each on branch `caur`.

Few packages change between two runs, so lines are only taken apart where somebody asks for them,
and stay byte for byte what they were where nothing new was seen: git stores the difference.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self

from caur_ci.update.source import GONE, NEVER_SEEN, LastSeen

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_START = b'{"package":"'
_KINDS = {field.name: type(field.default) for field in fields(LastSeen)}


@dataclass(frozen=True, slots=True)
class SeenPackages:
    """The lines, by package."""

    lines: Mapping[str, bytes] = field(default_factory=dict)

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Take what is stored. Lines that nobody can read are as if they were not there."""
        named = ((_package(line), line) for line in content.split(b"\n") if line)
        return cls({package: line for package, line in named if package})

    def to_bytes(self) -> bytes:
        """Return what is to be stored, sorted by package."""
        return b"".join(self.lines[package] + b"\n" for package in sorted(self.lines))

    def get(self, package: str) -> LastSeen:
        """Return what was seen of a package, an empty value where nothing was."""
        line = self.lines.get(package)
        return _seen(line) if line else NEVER_SEEN

    def gone(self) -> list[str]:
        """Return the packages that were confirmed to be gone from their source."""
        return [
            name
            for name, line in self.lines.items()
            if b":-1" in line and _seen(line).modified == GONE
        ]

    def updated(self, news: Mapping[str, LastSeen]) -> SeenPackages:
        """Return it with what was seen of some packages now; an empty value forgets."""
        changed = {package: seen for package, seen in news.items() if seen != self.get(package)}
        if not changed:
            return self
        lines = dict(self.lines)
        for package, seen in changed.items():
            lines.pop(package, None)
            if seen != LastSeen():
                lines[package] = _line(package, seen)
        return SeenPackages(lines)

    def only(self, packages: Collection[str]) -> SeenPackages:
        """Return it without the packages that are gone."""
        known = set(packages)
        return SeenPackages({name: line for name, line in self.lines.items() if name in known})


def _package(line: bytes) -> str:
    if line.startswith(_START):  # as we write it: no need to read the rest
        plain = line[len(_START) :].partition(b'"')[0]
        if b"\\" not in plain:
            return plain.decode(errors="replace")
    name = _data(line).get("package")
    return name if isinstance(name, str) else ""


def _line(package: str, seen: LastSeen) -> bytes:
    data = {"package": package, **{key: value for key, value in asdict(seen).items() if value}}
    return json.dumps(data, separators=(",", ":")).encode()


def _seen(line: bytes) -> LastSeen:
    """Read one line; what a program of another version added or meant otherwise is left out."""
    data = _data(line)
    known = {key: data[key] for key, kind in _KINDS.items() if type(data.get(key)) is kind}
    if "origin" in known:
        known["origin"] = sys.intern(known["origin"])  # the same for very many
    return LastSeen(**known)


def _data(line: bytes) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
