"""What a forge is asked for, whatever stands behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from scheduler.statuses.model import State


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitStatus:
    """A status as the forge is to show it. `link` may be empty."""

    commit: str
    pipeline: str
    name: str
    state: State
    description: str
    link: str


class StatusForge(Protocol):
    """A forge that shows statuses of commits."""

    def set_status(self, status: CommitStatus, *, before: State | None) -> None:
        """Show a status; `before` is what is shown of the same job so far.

        Raises DeliveryError.
        """
        ...
