"""The run without a build side that is under way (`caur-ci run`): one at a time for a repository.

What it built is remembered here before it is brought to readers. Whoever goes on after a run that
was killed in between sees by what is published whether that got through, and builds it no more.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

# For how long a run has the repository without being heard of again.
LEASE = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class OnItsWay:
    """A package that was built for a request and an architecture: the names of its files."""

    request_id: str
    package: str
    arch: str
    files: tuple[str, ...]

    def is_in(self, filenames: Collection[str]) -> bool:
        """Tell whether all of it is among the files that are published."""
        return bool(self.files) and all(name in filenames for name in self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class StandaloneRun:
    """A run. Until the Unix time `until` no other one may begin; `who` tells people about it.

    `on_its_way` is what it is just publishing, or was when it was heard of last.
    """

    id: str
    until: int
    who: str = ""
    on_its_way: tuple[OnItsWay, ...] = ()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self | None:
        """Take what is stored; None where there is nothing that can be read."""
        try:
            data: dict[str, Any] = json.loads(content)
            built = (
                OnItsWay(**it | {"files": tuple(it["files"])}) for it in data.pop("on_its_way")
            )
            return cls(
                id=str(data["id"]),
                until=int(data["until"]),
                who=str(data["who"]),
                on_its_way=tuple(built),
            )
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None

    def to_bytes(self) -> bytes:
        """Return what is to be stored."""
        return json.dumps(asdict(self), indent=1).encode() + b"\n"

    def renewed(self, now: float) -> StandaloneRun:
        """Return the run as it is when it was heard of at the Unix time `now`."""
        return replace(self, until=int(now) + LEASE)

    def suspended(self) -> StandaloneRun:
        """Return the run as it is when it has ended before all was done: anybody may go on."""
        return replace(self, until=0)

    def publishing(self, packages: Iterable[OnItsWay]) -> StandaloneRun:
        """Return the run with what it is just publishing."""
        return replace(self, on_its_way=tuple(packages))
