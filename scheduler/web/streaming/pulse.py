"""Wakes all who wait for something to change."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Pulse:
    """Something that changes now and then. For one event loop."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def beat(self) -> None:
        """Wake all who wait now."""
        self._next.set()
        self._next = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Wait for the next beat, at most `seconds`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._next.wait()
