"""Which packages failed to build in runs without a build side: a line of JSON each.

There the queue ends with the run, so it cannot tell. A package is on the list from the build that
failed until one that does not, or until its folder is gone.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

_MAX_TEXT = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedBuild:
    """A build that failed, of the folder `package` at `commit`, for `arch`.

    `time` is in Unix seconds, `link` where the log of the run is, empty where nobody knows.
    """

    package: str
    arch: str
    commit: str
    reason: str
    time: int
    link: str = ""


_KINDS = {one.name: int if one.name == "time" else str for one in fields(FailedBuild)}


@dataclass(frozen=True, slots=True)
class FailedBuilds:
    """The latest failed builds, by architecture and folder."""

    builds: Mapping[tuple[str, str], FailedBuild] = field(default_factory=dict)

    @property
    def packages(self) -> list[str]:
        """The folders that have any, sorted."""
        return sorted({package for _, package in self.builds})

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Take what is stored. Lines that nobody can read are as if they were not there."""
        found = (_read(line) for line in content.splitlines())
        return cls({(one.arch, one.package): one for one in found if one is not None})

    def to_bytes(self) -> bytes:
        """Return what is to be stored, sorted by architecture and folder."""
        lines = (asdict(one) for _, one in sorted(self.builds.items()))
        return b"".join(json.dumps(it, separators=(",", ":")).encode() + b"\n" for it in lines)

    def after(
        self, failed: Iterable[FailedBuild], built: Collection[tuple[str, str]]
    ) -> FailedBuilds:
        """Return them after builds of which some failed and others, by the same key, did not."""
        kept = {what: one for what, one in self.builds.items() if what not in built}
        return FailedBuilds(kept | {(one.arch, one.package): _cut(one) for one in failed})

    def only(self, packages: Collection[str]) -> FailedBuilds:
        """Return them without the packages that are gone."""
        known = set(packages)
        return FailedBuilds({what: it for what, it in self.builds.items() if what[1] in known})


def _cut(one: FailedBuild) -> FailedBuild:
    return FailedBuild(**asdict(one) | {"reason": one.reason[:_MAX_TEXT]})


def _read(line: bytes) -> FailedBuild | None:
    try:
        data = json.loads(line)
        known = {key: data[key] for key, kind in _KINDS.items() if type(data.get(key)) is kind}
        return FailedBuild(**known)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
