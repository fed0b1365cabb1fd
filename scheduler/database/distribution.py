"""The names of the distribution's own packages, from its databases on this machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.errors import ProcessError, TemporaryError
from caur_ci.process import run

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

_TIMEOUT = 300.0
_DATABASE = ".db"


@dataclass(slots=True)
class DistributionNames:
    """The package names in pacman's databases: files, or all `*.db` of a folder.

    Those of our own repositories, `ours`, are left out. They are read anew when they change.
    """

    places: Sequence[Path] = ()
    ours: Collection[str] = ()
    _known: dict[Path, tuple[int, frozenset[str]]] = field(default_factory=dict)

    def __contains__(self, name: object) -> bool:
        """Tell whether the distribution has a package `name`. Raises TemporaryError."""
        return any(name in self._names(path) for path in self._databases())

    def _databases(self) -> Iterator[Path]:
        for place in self.places:
            for path in sorted(place.glob(f"*{_DATABASE}")) if place.is_dir() else [place]:
                if path.name.removesuffix(_DATABASE) not in self.ours:
                    yield path

    def _names(self, path: Path) -> frozenset[str]:
        try:
            modified = path.stat().st_mtime_ns
            if path not in self._known or self._known[path][0] != modified:
                self._known[path] = (modified, _read_names(path))
        except (OSError, ProcessError) as error:
            raise TemporaryError(
                f"the distribution's database {path} cannot be read: {error}",
                hint="DISTRIBUTION_DATABASES names it; `pacman -Sy` brings such databases.",
            ) from error
        return self._known[path][1]


def _read_names(path: Path) -> frozenset[str]:
    listing = run(["bsdtar", "-tf", path], timeout=_TIMEOUT).stdout.decode("utf-8", "replace")
    folders = {line.partition("/")[0] for line in listing.splitlines()}
    return frozenset(folder.rsplit("-", 2)[0] for folder in folders)
