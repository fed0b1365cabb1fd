"""What the AUR has of each package that is pushed there, and what keeps it from having more."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

from caur_ci.pipeline.shared.memory.package_lines import PackageLines

if TYPE_CHECKING:
    from collections.abc import Mapping

# Of reasons, as many characters as are kept.
MAX_TEXT = 500


class Obstacle(StrEnum):
    """What keeps a package from being pushed."""

    NONE = ""
    WAITING = "waiting"  # for the AUR, a key, or somebody who lets the package go
    REFUSED = "refused"  # it breaks a rule, or is not ours to push
    DIVERGED = "diverged"  # others have pushed there


@dataclass(frozen=True, slots=True, kw_only=True)
class AurPush:
    """What is remembered of one package.

    `commit` is the AUR's commit that we pushed last, or found to have our files, `tree` these files
    and `version` their version. Where there is an `obstacle`, `wanted` are the files that it is
    about, `reason` tells more, and `tip` is the commit of others, if it is one. `since` is when it
    began, `tried` when the AUR refused for the last time, both in Unix seconds.
    """

    commit: str = ""
    tree: str = ""
    version: str = ""
    obstacle: str = ""
    reason: str = ""
    wanted: str = ""
    tip: str = ""
    since: int = 0
    tried: int = 0


NEVER_PUSHED = AurPush()
_KINDS = {field.name: type(field.default) for field in fields(AurPush)}


class AurPushes(PackageLines):
    """What is remembered, by package."""

    __slots__ = ()

    def get(self, package: str) -> AurPush:
        """Return what is remembered of a package, an empty value where nothing is."""
        return _push(self.data(package)) if package in self.lines else NEVER_PUSHED

    def updated(self, news: Mapping[str, AurPush]) -> Self:
        """Return it with what is known of some packages now; an empty value forgets."""
        changed = {name: push for name, push in news.items() if push != self.get(name)}
        return self.with_data({name: _data(push) for name, push in changed.items()})


def _data(push: AurPush) -> dict[str, Any]:
    data = {key: value for key, value in asdict(push).items() if value}
    if push.reason:
        data["reason"] = push.reason[:MAX_TEXT]
    return data


def _push(data: Mapping[str, Any]) -> AurPush:
    """Read one line; what a program of another version added or meant otherwise is left out."""
    return AurPush(
        **{key: data[key] for key, kind in _KINDS.items() if type(data.get(key)) is kind}
    )
