"""Times, sizes and states in plain words, the same as the command line has them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scheduler.job import JobState, Outcome

if TYPE_CHECKING:
    from scheduler.job import FailureClass

_UNITS = (("d", 86400), ("h", 3600), ("min", 60))
_SIZES = ("B", "KiB", "MiB", "GiB", "TiB")
_LAST_YEAR = 253_402_300_799.0
_STATES = {
    JobState.WAITING: "waiting",
    JobState.READY: "ready",
    JobState.BUILDING: "building",
    JobState.LANDED: "built, not yet published",
    JobState.PUBLISHING: "being published",
    JobState.STAGED: "staged, to be published with its rebuild group",
    JobState.DONE: "done",
}
_OUTCOMES = {
    Outcome.SUCCESS: "success",
    Outcome.ALREADY_BUILT: "already built",
    Outcome.SKIPPED: "skipped",
    Outcome.FAILED: "failed",
    Outcome.TIMED_OUT: "timed out",
    Outcome.CANCELED: "canceled",
    Outcome.CANCELED_REQUEUE: "canceled, queued again",
    Outcome.SOFTWARE_FAILURE: "software failure",
}
FAILURES = frozenset({Outcome.FAILED, Outcome.TIMED_OUT, Outcome.SOFTWARE_FAILURE})


def duration(seconds: float) -> str:
    """Return a length of time in its two greatest units."""
    whole = max(0, int(seconds))
    for place, (unit, length) in enumerate(_UNITS):
        if whole >= length:
            larger, rest = divmod(whole, length)
            smaller, size = _UNITS[place + 1] if place + 1 < len(_UNITS) else ("s", 1)
            less = rest // size
            return f"{larger} {unit} {less} {smaller}" if less else f"{larger} {unit}"
    return f"{whole} s"


def short_duration(seconds: float) -> str:
    """Return a length of time in its greatest unit."""
    whole = max(0, int(seconds))
    for unit, length in _UNITS:
        if whole >= length:
            return f"{whole // length} {unit}"
    return f"{whole} s"


def relative(time: float, now: float) -> str:
    """Return how long before or after `now` a Unix time is."""
    if time > now:
        return f"in {short_duration(time - now)}"
    return f"{short_duration(now - time)} ago"


def iso(time: float) -> str:
    """Return a Unix time as machines read it (RFC 3339), in UTC."""
    return _moment(time).strftime("%Y-%m-%dT%H:%M:%SZ")


def exact(time: float) -> str:
    """Return a Unix time as people read it, in UTC."""
    return _moment(time).strftime("%Y-%m-%d %H:%M:%S UTC")


def size(count: float) -> str:
    """Return a number of bytes."""
    unit = 0
    while count >= 1024 and unit < len(_SIZES) - 1:
        count /= 1024
        unit += 1
    return (
        f"{count:.0f} {_SIZES[unit]}" if unit == 0 or count >= 10 else f"{count:.1f} {_SIZES[unit]}"
    )


def state_words(state: JobState) -> str:
    """Return what a job is doing."""
    return _STATES[state]


def outcome_words(outcome: Outcome, failure: FailureClass | None = None) -> str:
    """Return how a job ended."""
    return f"{_OUTCOMES[outcome]} ({failure})" if failure else _OUTCOMES[outcome]


def tone_of(outcome: Outcome | None) -> str:
    """Return how a result is to be seen: `good`, `bad`, `busy`, or `calm`."""
    if outcome is None:
        return "busy"
    if outcome is Outcome.SUCCESS:
        return "good"
    return "bad" if outcome in FAILURES else "calm"


def plural(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}".replace(
        ",", "\N{NARROW NO-BREAK SPACE}"
    )


def _moment(time: float) -> datetime:
    return datetime.fromtimestamp(min(max(time, 0.0), _LAST_YEAR), UTC)
