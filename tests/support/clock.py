"""A time that tests set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Clock:
    """What stands in for `time.time`."""

    now: float

    def __call__(self) -> float:
        return self.now
