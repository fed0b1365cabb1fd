"""Which packages fail run after run, or stay behind upstream: a line of JSON each on branch `caur`.

The ledger is bounded and leaves out what is no news, so it cannot tell for how long. A count ends
at `MOST_COUNTED`: a package that fails forever is not to change the branch forever.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

MOST_COUNTED = 20
DAY = 86_400
# What so many packages fail of is the trouble of a server, not of theirs.
_MANY = 100
_MAX_TEXT = 300


class Standing(StrEnum):
    """How a package came out of a run."""

    FINE = "fine"
    FAILED = "failed"
    AHEAD = "ahead"  # upstream is ahead of it, and that waits for something


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a package in a run, and why; a reason that is empty is the one from before."""

    package: str
    standing: Standing
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """The trouble of one package.

    `failures` are those in a row, up to `MOST_COUNTED`, since `failing_since`; since `ahead_since`
    upstream is known to be ahead. Both are in Unix seconds, and 0 where it is not so.
    """

    failures: int = 0
    failing_since: int = 0
    ahead_since: int = 0
    reason: str = ""

    def is_stale(self, *, failures: int, days: int, now: float) -> bool:
        """Tell whether it has failed that often, or been behind for so many days."""
        behind = bool(self.ahead_since) and now - self.ahead_since >= days * DAY
        return behind or self.failures >= min(failures, MOST_COUNTED)


_NO_TROUBLE = Trouble()
_KINDS = {one.name: type(one.default) for one in fields(Trouble)}


@dataclass(frozen=True, slots=True)
class Troubles:
    """The troubles of packages that have any."""

    packages: Mapping[str, Trouble] = field(default_factory=dict)

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Take what is stored. Lines that nobody can read are as if they were not there."""
        found: dict[str, Trouble] = {}
        for line in content.split(b"\n"):
            data = _data(line)
            known = {key: data[key] for key, kind in _KINDS.items() if type(data.get(key)) is kind}
            if isinstance(name := data.get("package"), str) and known:
                found[name] = Trouble(**known)
        return cls(found)

    def to_bytes(self) -> bytes:
        """Return what is to be stored, sorted by package."""
        lines = (
            {"package": name, **{key: value for key, value in asdict(trouble).items() if value}}
            for name, trouble in sorted(self.packages.items())
        )
        return b"".join(json.dumps(it, separators=(",", ":")).encode() + b"\n" for it in lines)

    def after(self, outcomes: Iterable[Outcome], now: float) -> Troubles:
        """Return the troubles after a run at the time `now`, in Unix seconds.

        Packages without an outcome stay as they were, and so do those that failed with very many
        others for the same reason.
        """
        listed = list(outcomes)
        alike = Counter(it.reason for it in listed if it.standing is Standing.FAILED)
        packages = dict(self.packages)
        for outcome in listed:
            if outcome.standing is Standing.FAILED and alike[outcome.reason] > _MANY:
                continue
            before = packages.pop(outcome.package, _NO_TROUBLE)
            if outcome.standing is not Standing.FINE:
                packages[outcome.package] = _after(before, outcome, int(now))
        return Troubles(packages)

    def only(self, packages: Collection[str]) -> Troubles:
        """Return them without the packages that are gone."""
        known = set(packages)
        return Troubles({name: it for name, it in self.packages.items() if name in known})

    def stale(self, *, failures: int, days: int, now: float) -> dict[str, Trouble]:
        """Return the packages that are stale, by name."""
        return {
            name: trouble
            for name, trouble in sorted(self.packages.items())
            if trouble.is_stale(failures=failures, days=days, now=now)
        }


def _after(before: Trouble, outcome: Outcome, now: int) -> Trouble:
    reason = outcome.reason[:_MAX_TEXT] or before.reason
    if outcome.standing is Standing.AHEAD:
        return Trouble(ahead_since=before.ahead_since or now, reason=reason)
    return replace(
        before,
        failures=min(before.failures + 1, MOST_COUNTED),
        failing_since=before.failing_since or now,
        reason=reason,
    )


def _data(line: bytes) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
