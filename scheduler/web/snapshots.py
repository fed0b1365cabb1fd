"""Looks at the whole queue, which are shared by all who look within a moment."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scheduler.queue import QueueReader, QueueSnapshot

# Redis does nothing else while it looks at thousands of jobs.
_FRESH_SECONDS = 0.5


class Snapshots:
    """The queue as it was a moment ago. Safe to use from several threads."""

    def __init__(self, queue: QueueReader) -> None:
        self._queue = queue
        self._lock = threading.Lock()
        self._taken: dict[int, tuple[float, QueueSnapshot]] = {}

    def get(self, limit: int) -> QueueSnapshot:
        """Return the queue with at most `limit` jobs of each kind.

        Raises TemporaryError when Redis is out of reach.
        """
        with self._lock:
            now = time.monotonic()
            old = [key for key, (at, _) in self._taken.items() if now - at >= _FRESH_SECONDS]
            for key in old:
                del self._taken[key]
            if limit not in self._taken:
                self._taken[limit] = (now, self._queue.snapshot(limit=limit))
            return self._taken[limit][1]
