"""How seldom new upstream commits lead to builds: the value of CI_VCS_INTERVAL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

_DAYS = r"[1-9][0-9]{0,2}d"
_COMMITS = r"[1-9][0-9]{0,3}c"
_HOUR = r"(?:[01]?[0-9]|2[0-3])"
_ZONE = r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*"
_HOURS = rf"{_HOUR}-{_HOUR}(?:@{_ZONE})?"
_PART = rf"(?:{_DAYS}|{_COMMITS}|{_HOURS})"
INTERVAL = rf"none|{_PART}(?:[ \t]+{_PART}){{0,2}}"
_UTC = "UTC"


@dataclass(frozen=True, slots=True)
class VcsInterval:
    """What has to be true before a package is built for new commits; all of it.

    `days` have passed since the last such build, `commits` have come since, and the hour of the
    day in `zone` is in `hours`: from the first to before the second, over midnight if need be.
    """

    days: int = 0
    commits: int = 0
    hours: tuple[int, int] | None = None
    zone: str = _UTC

    def allows_hour(self, now: float) -> bool:
        """Tell whether builds may be asked for at this time, in Unix seconds."""
        if self.hours is None:
            return True
        first, end = self.hours
        hour = datetime.fromtimestamp(now, _zone(self.zone)).hour
        return first <= hour < end if first < end else hour >= first or hour < end

    def __str__(self) -> str:
        """Return it for people."""
        parts = [
            f"one build in {self.days} days" if self.days > 1 else "one build a day",
            f"after {self.commits} commits",
            f"from {self.hours[0]} to {self.hours[1]} o'clock {self.zone}" if self.hours else "",
        ]
        asked = (self.days, self.commits, self.hours)
        return ", ".join(part for part, is_set in zip(parts, asked, strict=True) if is_set)


def read_interval(text: str) -> VcsInterval:
    """Read a value that matches `INTERVAL`. Raises ValueError for what makes no sense in it."""
    days, commits, zone = 0, 0, _UTC
    hours: tuple[int, int] | None = None
    parts = text.split() if text != "none" else []
    for part in parts:
        if part.endswith("d") and part[:-1].isdecimal():
            days = int(part[:-1])
        elif part.endswith("c") and part[:-1].isdecimal():
            commits = int(part[:-1])
        else:
            window, _, zone = part.partition("@")
            first, _, end = window.partition("-")
            hours, zone = (int(first), int(end)), zone or _UTC
    interval = VcsInterval(days, commits, hours, zone)
    if len(parts) != sum(map(bool, (days, commits, hours))):
        raise ValueError("each kind of limit once: days, commits, hours")
    if hours and hours[0] == hours[1]:
        raise ValueError("hours that differ, such as 22-6")
    _zone(zone)
    return interval


@lru_cache(maxsize=32)
def _zone(name: str) -> tzinfo:
    if name == _UTC:
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # ZoneInfoNotFoundError is a KeyError
        raise ValueError(f"a time zone that this machine knows, which {name} is not") from None
