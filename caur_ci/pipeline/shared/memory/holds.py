"""What is on hold: packages that stay as they are until somebody says otherwise.

A hold is set by a person (`caur-ci hold`), or by a run that had cause to. What would have been
built meanwhile is remembered with it, so that it is built afterwards.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from caur_ci.errors import InputError
from caur_ci.names import is_package_name
from caur_ci.plaintext import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_LONGEST = 300
_NONSENSE = (
    *(ValueError, TypeError, KeyError, AttributeError),
    *(RecursionError, OverflowError, OSError),
)


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a package is frozen, by whom, and since when, in Unix seconds.

    `automatic` ones were set by a run. `left_out` is why the package would have been built since,
    empty where nothing was.
    """

    by: str
    since: int
    reason: str
    automatic: bool = False
    left_out: str = ""

    def __str__(self) -> str:
        when = datetime.fromtimestamp(self.since, UTC).strftime("%Y-%m-%d %H:%M UTC")
        told = f"on hold by {self.by} since {when}"
        return f"{told}: {self.reason}" if self.reason else told


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """All holds by package, and what is to be built now that it is on hold no more.

    `released` says of those packages why they would have been built.
    """

    packages: Mapping[str, Hold] = field(default_factory=dict)
    released: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Take what is stored. Raises InputError where that makes no sense."""
        if not content:
            return cls()
        try:
            data = json.loads(content)
            return cls(
                packages={_package(name): _hold(it) for name, it in data["held"].items()},
                released={_package(name): _text(it) for name, it in data["released"].items()},
            )
        except _NONSENSE as error:
            raise InputError(
                f"holds.json on branch caur cannot be read: {error!r}",
                hint="Restore an older state of the branch. Without the file, nobody knows which "
                "packages are on hold.",
            ) from error

    def to_bytes(self) -> bytes:
        """Return what is to be stored: nothing where there is nothing to remember."""
        if not (self.packages or self.released):
            return b""
        data = {
            "held": {name: asdict(hold) for name, hold in sorted(self.packages.items())},
            "released": dict(sorted(self.released.items())),
        }
        return json.dumps(data, indent=1).encode() + b"\n"

    def get(self, package: str) -> Hold | None:
        """Return the hold of a package, None where it is not on hold."""
        return self.packages.get(package)

    def with_hold(self, package: str, hold: Hold) -> Holds:
        """Return it with a package on hold; what was left out before stays remembered."""
        before = self.packages.get(package)
        left_out = hold.left_out or (before.left_out if before else self.released.get(package, ""))
        kept = replace(
            hold,
            by=one_line(hold.by)[:_LONGEST],
            reason=one_line(hold.reason)[:_LONGEST],
            left_out=left_out,
        )
        released = {name: why for name, why in self.released.items() if name != package}
        return replace(self, packages={**self.packages, package: kept}, released=released)

    def without(self, package: str) -> Holds:
        """Return it with a package not on hold: what was left out is to be built."""
        hold = self.packages.get(package)
        if hold is None:
            return self
        packages = {name: it for name, it in self.packages.items() if name != package}
        left_out = {package: hold.left_out} if hold.left_out else {}
        return replace(self, packages=packages, released={**self.released, **left_out})

    def leaving_out(self, reasons: Mapping[str, str]) -> Holds:
        """Return it with why packages that are on hold would have been built; others do not count.

        The first reason stays.
        """
        news = {
            name: replace(hold, left_out=one_line(why)[:_LONGEST] or "asked for")
            for name, why in reasons.items()
            if (hold := self.packages.get(name)) is not None and not hold.left_out
        }
        return replace(self, packages={**self.packages, **news}) if news else self

    def without_released(self, packages: Iterable[str]) -> Holds:
        """Return it after builds of packages were asked for, or were no longer to be had."""
        done = {*packages}.intersection(self.released)
        left = {name: why for name, why in self.released.items() if name not in done}
        return replace(self, released=left) if done else self


def told_of(left_out: str) -> str:
    """Return why a package is built that is on hold no more."""
    return f"left out while it was on hold: {left_out}"


def _package(name: str) -> str:
    if not is_package_name(name):
        raise ValueError(name)
    return name


def _text(value: Any) -> str:  # noqa: ANN401 - whatever JSON has
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _hold(data: Mapping[str, Any]) -> Hold:
    """Read what is stored of a hold. Raises what data of another form does."""
    hold = Hold(**data)
    for text in (hold.by, hold.reason, hold.left_out):
        _text(text)
    if type(hold.since) is not int or not isinstance(hold.automatic, bool):
        raise TypeError(data)
    datetime.fromtimestamp(hold.since, UTC)  # refuses what is no time
    return hold
