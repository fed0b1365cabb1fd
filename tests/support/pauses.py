"""In place of time.sleep: nobody waits, and every wish to wait is kept."""

from __future__ import annotations


class Pauses:
    """Counts the seconds that somebody wanted to wait."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
