"""What the web server counts about itself, in its own process."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from scheduler.metrics import definitions as m
from scheduler.metrics.counting import OTHER

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from prometheus_client.registry import Collector, CollectorRegistry

    from scheduler.metrics.definitions import Metric

_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})


class HttpMetrics:
    """Counts requests. `routes` are all patterns of paths that there are, such as `/api/logs/{id}`.

    Safe to use from several threads.
    """

    def __init__(self, routes: Collection[str] = ()) -> None:
        from prometheus_client import Counter, Gauge, Histogram  # noqa: PLC0415 - slow to import

        self._routes = frozenset(routes)
        self._requests = Counter(*_described(m.HTTP_REQUESTS), registry=None)
        self._seconds = Histogram(
            *_described(m.HTTP_SECONDS), buckets=m.HTTP_SECONDS.buckets, registry=None
        )
        self._streams = Gauge(*_described(m.HTTP_STREAMS), registry=None)
        self._sent = Counter(*_described(m.HTTP_SENT_BYTES), registry=None)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered with a status of HTTP after so many seconds."""
        route = self._route(route)
        method = method if method in _METHODS else OTHER
        status_class = str(status) if 100 <= status < 600 else OTHER
        self._requests.labels(method, route, status_class).inc()
        self._seconds.labels(route).observe(seconds)

    @contextmanager
    def streaming(self, kind: str) -> Iterator[Stream]:
        """Count a reader of something live for as long as the block runs.

        `kind` is a word of the server's own, such as `log` or `events`.
        """
        with self._streams.labels(kind).track_inprogress():
            yield Stream(self._sent.labels(kind))

    def register(self, registry: CollectorRegistry) -> None:
        """Show what was counted there."""
        found: tuple[Collector, ...] = (self._requests, self._seconds, self._streams, self._sent)
        for collector in found:
            registry.register(collector)

    def _route(self, route: str) -> str:
        return route if route in self._routes else OTHER


class Stream:
    """What one reader is sent."""

    def __init__(self, counter: Any) -> None:  # noqa: ANN401 - a counter with its labels
        self._counter = counter

    def sent(self, size: int) -> None:
        """Count bytes."""
        self._counter.inc(size)


def _described(metric: Metric) -> tuple[str, str, tuple[str, ...]]:
    return metric.name, metric.help, metric.labels
