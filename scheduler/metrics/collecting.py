"""Makes what was counted, and what the queue looks like, into metrics of Prometheus."""

from __future__ import annotations

import logging
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.registry import Collector

from caur_ci.errors import TemporaryError
from scheduler.metrics import definitions as m
from scheduler.metrics.asking import look
from scheduler.metrics.definitions import Kind
from scheduler.metrics.tallies import INFINITE, SUM, numbers_of
from scheduler.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from prometheus_client import Metric as Family

    from scheduler.metrics.definitions import Metric
    from scheduler.metrics.tallies import Tallies
    from scheduler.queue import QueueReader

_log = logging.getLogger(__name__)

_COUNTED = tuple(
    metric
    for metric in m.METRICS
    if metric.kind is not Kind.GAUGE and not metric.name.startswith(("caur_outbox", "caur_http"))
)
# Times, which are kept beside the counters.
_TIMES = (m.LAST_PUBLICATION, m.PIPELINE_LAST, m.EVENTS_COUNTED)
_COUNTS_OF_OUTBOXES = (
    (m.OUTBOX_SENT, "sent"),
    (m.OUTBOX_FAILED, "failed"),
    (m.OUTBOX_DROPPED, "dropped"),
)

Numbers = dict[tuple[str, ...], float]


class QueueCollector(Collector):
    """Asks the queue each time. `outboxes` are the names of those that there may be."""

    def __init__(self, queue: QueueReader, tallies: Tallies, outboxes: Iterable[str]) -> None:
        self._queue = queue
        self._tallies = tallies
        self._outboxes = {name: Outbox(queue.client, name) for name in outboxes}

    def collect(self) -> Iterable[Family]:
        """Return all metrics of the queue; only that it is away, where it is."""
        try:
            found = [*self._looks(), *self._counted(), *self._waiting()]
        except TemporaryError as error:
            _log.warning("metrics: %s", error)
            return [gauge(m.QUEUE_UP, {(): 0})]
        return [gauge(m.QUEUE_UP, {(): 1}), *found]

    def _looks(self) -> Iterator[Family]:
        looks = look(self._queue)
        yield gauge(m.QUEUE_JOBS, _one_label(looks.jobs))
        yield gauge(m.QUEUE_READY, _one_label(looks.ready))
        yield gauge(m.QUEUE_OLDEST, _one_label(looks.oldest))
        yield gauge(m.QUEUE_PAUSED, {(): int(looks.paused)})
        yield gauge(m.QUEUE_QUARANTINE, {(): looks.quarantined})
        yield gauge(m.QUEUE_REMOVALS, _one_label(looks.removals))
        yield gauge(m.WORKERS, looks.workers)
        yield gauge(m.RUNNERS, {(): looks.runners})
        yield gauge(m.LOGS, {(): looks.logs})
        yield gauge(m.LOG_BYTES, {(): looks.log_bytes})

    def _counted(self) -> Iterator[Family]:
        counts = self._tallies.read()
        for metric in _COUNTED:
            numbers = numbers_of(counts, metric)
            yield (
                counter(metric, numbers)
                if metric.kind is Kind.COUNTER
                else _histogram(metric, numbers)
            )
        for metric in _TIMES:
            times = numbers_of(counts, metric)
            yield gauge(metric, {labels: time / 1000 for labels, time in times.items()})
        yield gauge(m.PACKAGES, numbers_of(counts, m.PACKAGES))

    def _waiting(self) -> Iterator[Family]:
        sizes = {name: outbox.size() for name, outbox in self._outboxes.items()}
        troubles = {name: len(outbox.troubles()) for name, outbox in self._outboxes.items()}
        counts = {name: outbox.counts() for name, outbox in self._outboxes.items()}
        yield gauge(m.OUTBOX_ENTRIES, _one_label(sizes))
        yield gauge(m.OUTBOX_TROUBLES, _one_label(troubles))
        for metric, what in _COUNTS_OF_OUTBOXES:
            yield counter(metric, {(name,): found.get(what, 0) for name, found in counts.items()})


def gauge(metric: Metric, numbers: Mapping[tuple[str, ...], float]) -> Family:
    """Return a gauge."""
    family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
    for labels, number in sorted(numbers.items()):
        family.add_metric(labels, number)
    return family


def counter(metric: Metric, numbers: Mapping[tuple[str, ...], float]) -> Family:
    """Return a counter."""
    family = CounterMetricFamily(metric.name, metric.help, labels=metric.labels)
    for labels, number in sorted(numbers.items()):
        family.add_metric(labels, number)
    return family


def _histogram(metric: Metric, numbers: Mapping[tuple[str, ...], int]) -> Family:
    family = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
    for labels in sorted({place[:-1] for place in numbers}):
        edges = [*map(str, metric.buckets), INFINITE]
        totals = accumulate(numbers.get((*labels, edge), 0) for edge in edges)
        buckets = [
            ("+Inf" if edge == INFINITE else edge, float(total))
            for edge, total in zip(edges, totals, strict=True)
        ]
        family.add_metric(labels, buckets, numbers.get((*labels, SUM), 0) / 1000)
    return family


def _one_label(numbers: Mapping[str, float]) -> Numbers:
    return {(label,): number for label, number in numbers.items()}
