"""Times as people write them in a policy: `12 hours`, `30 days`."""

from __future__ import annotations

import re

_UNITS = {"minute": 60, "hour": 3600, "day": 24 * 3600, "week": 7 * 24 * 3600}
PATTERN = r"0|[0-9]{1,4} (?:minute|hour|day|week)s?"
_DURATION = re.compile(r"([0-9]+)(?: ([a-z]+?)s?)?")


def seconds_of(text: str) -> int:
    """Return a duration of the form `PATTERN` in seconds."""
    match = _DURATION.fullmatch(text)
    assert match is not None  # noqa: S101 - the schema has seen to it
    return int(match[1]) * _UNITS.get(match[2] or "", 0)


def in_words(seconds: float) -> str:
    """Return a time in the largest unit that fills it."""
    whole = max(0, int(seconds))
    for unit, size in reversed(_UNITS.items()):
        if whole >= size:
            count = whole // size
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "less than a minute"


def ago(seconds: float) -> str:
    """Return how long ago something was."""
    return "just now" if seconds < _UNITS["minute"] else f"{in_words(seconds)} ago"
