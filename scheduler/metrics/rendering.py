"""The text that Prometheus reads."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from scheduler.metrics.tallies import Tallies

if TYPE_CHECKING:
    from scheduler.metrics.http import HttpMetrics
    from scheduler.queue import QueueReader

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_KEPT_SECONDS = 1.0
_OUTBOXES = ("notifications", "statuses", "issues")


class Metrics:
    """All metrics, as they are when they are asked for. `http` are those of a web server.

    Safe to use from several threads.
    """

    def __init__(self, queue: QueueReader, *, http: HttpMetrics | None = None) -> None:
        from prometheus_client import (  # noqa: PLC0415 - slow to import
            CollectorRegistry,
            GCCollector,
            PlatformCollector,
            ProcessCollector,
        )

        from scheduler.metrics.collecting import QueueCollector  # noqa: PLC0415

        # Of our own: whatever else is imported registers itself in that of the library.
        self._registry = CollectorRegistry()
        self._registry.register(QueueCollector(queue, Tallies(queue.client), _OUTBOXES))
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        if http is not None:
            http.register(self._registry)
        self._lock = threading.Lock()
        self._text = b""
        self._until = 0.0

    def render(self) -> bytes:
        """Return the metrics in the text format of Prometheus; see CONTENT_TYPE.

        Where Redis is out of reach `caur_queue_up` says so. Who asks within a second of another
        gets the same: the queue is not to suffer from being asked.
        """
        from prometheus_client import generate_latest  # noqa: PLC0415 - slow to import

        with self._lock:
            if time.monotonic() >= self._until:
                self._text = generate_latest(self._registry)
                self._until = time.monotonic() + _KEPT_SECONDS
            return self._text
