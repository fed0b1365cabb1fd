"""What is known of the upstream repositories that each VCS package is built from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from caur_ci.pipeline.shared.memory.package_lines import PackageLines
from caur_ci.update.vcs.entries import MOST_ENTRIES
from caur_ci.update.vcs.seen import NEVER_FOLLOWED, VcsSeen

if TYPE_CHECKING:
    from collections.abc import Mapping

_NUMBERS = ("built", "moves", "total", "absent")


class FollowedUpstreams(PackageLines):
    """What is known, by package."""

    __slots__ = ()

    def get(self, package: str) -> VcsSeen:
        """Return what is known of a package's upstream, an empty value where nothing is."""
        return _seen(self.data(package)) if package in self.lines else NEVER_FOLLOWED

    def updated(self, news: Mapping[str, VcsSeen]) -> Self:
        """Return it with what is known of some packages now; an empty value forgets."""
        changed = {package: seen for package, seen in news.items() if seen != self.get(package)}
        return self.with_data({package: _data(seen) for package, seen in changed.items()})


def _data(seen: VcsSeen) -> dict[str, Any]:
    numbers = {key: value for key in _NUMBERS if (value := getattr(seen, key))}
    latest = {"latest": seen.latest} if seen.latest else {}
    commits = {"commits": dict(sorted(seen.commits.items()))} if seen.commits else {}
    return {**commits, **numbers, **latest}


def _seen(data: Mapping[str, Any]) -> VcsSeen:
    """Read one line; what a program of another version added or meant otherwise is left out."""
    numbers = {key: data[key] for key in _NUMBERS if type(data.get(key)) is int}
    found = data.get("commits")
    pairs = list(found.items())[:MOST_ENTRIES] if isinstance(found, dict) else []
    latest = data.get("latest")
    return VcsSeen(
        commits={place: commit for place, commit in pairs if isinstance(commit, str)},
        latest=latest if isinstance(latest, str) else "",
        **numbers,
    )
