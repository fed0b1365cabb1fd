"""What several ask for at once is fetched once, and kept for a while within bounds."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

K = TypeVar("K", bound="Hashable")
V = TypeVar("V")


class SharedReads(Generic[K, V]):
    """Answers by key. They never change, and all that are kept weigh `limit` at the most.

    For one event loop. An error, and what weighs nothing, is not kept.
    """

    def __init__(self, limit: int, weight: Callable[[V], int]) -> None:
        self._limit = limit
        self._weight = weight
        self._total = 0
        self._answers: OrderedDict[K, V] = OrderedDict()
        self._asked: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K, fetch: Callable[[], Awaitable[V]]) -> V:
        """Return the answer, fetched unless it is known or somebody has asked already."""
        known = self.known(key)
        if known is not None:
            return known
        task = self._asked.get(key)
        if task is None:
            task = asyncio.create_task(self._fetch(key, fetch))
            self._asked[key] = task
        # Who leaves does not take the answer from the others.
        return await asyncio.shield(task)

    def known(self, key: K) -> V | None:
        """Return the answer if it is kept."""
        if key in self._answers:
            self._answers.move_to_end(key)
        return self._answers.get(key)

    def put(self, key: K, value: V) -> None:
        """Keep an answer that is known."""
        weight = self._weight(value)
        if key in self._answers or not weight:
            return
        self._answers[key] = value
        self._total += weight
        while self._total > self._limit and len(self._answers) > 1:
            _, oldest = self._answers.popitem(last=False)
            self._total -= self._weight(oldest)

    async def _fetch(self, key: K, fetch: Callable[[], Awaitable[V]]) -> V:
        try:
            value = await fetch()
            self.put(key, value)
            return value
        finally:
            del self._asked[key]
