"""What was last seen of each package's source."""

from __future__ import annotations

import sys
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Self

from caur_ci.pipeline.shared.memory.package_lines import PackageLines
from caur_ci.update.source import GONE, NEVER_SEEN, LastSeen

if TYPE_CHECKING:
    from collections.abc import Mapping

_KINDS = {field.name: type(field.default) for field in fields(LastSeen)}


class SeenPackages(PackageLines):
    """What was seen, by package."""

    __slots__ = ()

    def get(self, package: str) -> LastSeen:
        """Return what was seen of a package, an empty value where nothing was."""
        return _seen(self.data(package)) if package in self.lines else NEVER_SEEN

    def gone(self) -> list[str]:
        """Return the packages that were confirmed to be gone from their source."""
        return [
            name
            for name, line in self.lines.items()
            if b":-1" in line and self.get(name).modified == GONE
        ]

    def updated(self, news: Mapping[str, LastSeen]) -> Self:
        """Return it with what was seen of some packages now; an empty value forgets."""
        changed = {package: seen for package, seen in news.items() if seen != self.get(package)}
        return self.with_data({package: _data(seen) for package, seen in changed.items()})


def _data(seen: LastSeen) -> dict[str, Any]:
    return {key: value for key, value in asdict(seen).items() if value}


def _seen(data: Mapping[str, Any]) -> LastSeen:
    """Read one line; what a program of another version added or meant otherwise is left out."""
    known = {key: data[key] for key, kind in _KINDS.items() if type(data.get(key)) is kind}
    if "origin" in known:
        known["origin"] = sys.intern(known["origin"])  # the same for very many
    return LastSeen(**known)
