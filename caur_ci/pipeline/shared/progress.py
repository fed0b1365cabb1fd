"""What a journey tells about its progress while it is under way."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """A display of progress; several threads may call it at once."""

    def begin(self, what: str, total: int) -> None:
        """Take note that `what` begins, in `total` steps, and that what was before is over."""
        ...

    def advance(self, steps: int = 1) -> None:
        """Take note that some steps are done."""
        ...


class NoProgress:
    """No display."""

    def begin(self, what: str, total: int) -> None:
        """Do nothing."""

    def advance(self, steps: int = 1) -> None:
        """Do nothing."""
