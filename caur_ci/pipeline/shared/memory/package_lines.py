"""What is remembered of packages, a line of JSON for each on branch `caur`.

Few packages change between two runs, so lines are only taken apart where somebody asks for them,
and stay byte for byte what they were where nothing is new: git stores the difference.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_START = b'{"package":"'


@dataclass(frozen=True, slots=True)
class PackageLines:
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

    def data(self, package: str) -> dict[str, Any]:
        """Return what the line of a package holds, nothing where there is none."""
        line = self.lines.get(package)
        return read_line(line) if line else {}

    def with_data(self, changed: Mapping[str, Mapping[str, Any]]) -> Self:
        """Return it with other lines for some packages; one that holds nothing goes."""
        if not changed:
            return self
        lines = dict(self.lines)
        for package, data in changed.items():
            lines.pop(package, None)
            if data:
                line = {"package": package, **data}
                lines[package] = json.dumps(line, separators=(",", ":")).encode()
        return type(self)(lines)

    def only(self, packages: Collection[str]) -> Self:
        """Return it without the packages that are gone."""
        known = set(packages)
        return type(self)({name: line for name, line in self.lines.items() if name in known})


def read_line(line: bytes) -> dict[str, Any]:
    """Return what a line holds, nothing of one that cannot be read."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _package(line: bytes) -> str:
    if line.startswith(_START):  # as we write it: no need to read the rest
        plain = line[len(_START) :].partition(b'"')[0]
        if b"\\" not in plain:
            return plain.decode(errors="replace")
    name = read_line(line).get("package")
    return name if isinstance(name, str) else ""
