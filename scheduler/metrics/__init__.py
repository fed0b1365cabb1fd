"""Metrics for Prometheus: of the queue, of what happened in it, and of the pipelines before it."""

from scheduler.metrics.counting import EventCounter
from scheduler.metrics.http import HttpMetrics
from scheduler.metrics.pipelines import Condition, Pipeline, tell_of_run
from scheduler.metrics.rendering import Metrics
from scheduler.metrics.serving import serving_metrics
from scheduler.metrics.tallies import Tallies

__all__ = [
    "Condition",
    "EventCounter",
    "HttpMetrics",
    "Metrics",
    "Pipeline",
    "Tallies",
    "serving_metrics",
    "tell_of_run",
]
