"""What is at a publishing target: a list there, and a copy here where not all files are here."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

from caur_ci.errors import CaurError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from scheduler.database.entries import Entry
    from scheduler.database.layout import Layout

HOSTED = "hosted.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedFile:
    """A file at a target. If `unlisted` is not 0, no database lists it since then (a Unix time)."""

    size: int
    sha256: str
    unlisted: float = 0.0


@dataclass(frozen=True, slots=True)
class HostedFiles:
    """The files of one repository at a target, by their path below its folder: A/NAME."""

    files: Mapping[str, HostedFile] = field(default_factory=dict)

    @classmethod
    def beside(cls, layout: Layout) -> Self:
        """Return what is known to be elsewhere; nothing where all files are to be here.

        Raises CaurError where it cannot be read.
        """
        return cls.read(private_list(layout))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a list; an empty one where there is none. Raises CaurError."""
        try:
            data: dict[str, dict[str, Any]] = json.loads(path.read_bytes())["files"]
            return cls({name: _file_of(each) for name, each in data.items()})
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise CaurError(
                f"{path} is no list of hosted files: {error}",
                hint="Remove it: it is made anew from the database.",
            ) from error

    def write(self, path: Path) -> None:
        """Write the list, at once."""
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.new")
        fresh.write_bytes(self.to_bytes())
        fresh.replace(path)

    def to_bytes(self) -> bytes:
        """Return the list as a JSON document."""
        files = {name: asdict(each) for name, each in sorted(self.files.items())}
        return f"{json.dumps({'files': files}, indent=0)}\n".encode()

    def has(self, entry: Entry, arch: str) -> bool:
        """Tell whether the file of a listed package is there, as it is listed."""
        found = self.files.get(f"{arch}/{entry.filename}")
        return found is not None and (found.size, found.sha256) == (entry.size, entry.sha256)


def _file_of(data: Mapping[str, Any]) -> HostedFile:
    # Another version may say more of it.
    return HostedFile(
        size=int(data["size"]), sha256=str(data["sha256"]), unlisted=float(data.get("unlisted", 0))
    )


def private_list(layout: Layout) -> Path:
    """Return where it is noted for the architectures of a repository what is elsewhere."""
    return layout.private.parent / HOSTED
