"""Brings what waits for Redis or a disk out of the event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from anyio import CapacityLimiter
from anyio.to_thread import run_sync

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Threads:
    """Some threads of their own: readers of streams do not keep pages waiting."""

    def __init__(self, number: int) -> None:
        self._limiter = CapacityLimiter(number)

    async def run(self, function: Callable[[], T]) -> T:
        """Return what `function` returns in one of the threads."""
        return await run_sync(function, limiter=self._limiter, abandon_on_cancel=True)
