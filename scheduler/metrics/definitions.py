"""Every metric that there is. `docs/metrics.md` has the same, and a test holds it to this."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a metric counts."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric; `was` is what the existing system calls the same."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    was: str = ""
    buckets: tuple[float, ...] = ()


# From a minute, which most builds take, to a day, which none should.
_BUILD = (30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 86400)
_WAIT = (5, 30, 60, 300, 900, 1800, 3600, 7200, 21600, 86400)
_PUBLISH = (1, 2.5, 5, 10, 30, 60, 120, 300, 900)

QUEUE_UP = Metric(
    "caur_queue_up", Kind.GAUGE, "Whether Redis answered when this was asked for: 1 or 0."
)
QUEUE_JOBS = Metric(
    "caur_queue_jobs",
    Kind.GAUGE,
    "Jobs that have not ended, by where they are.",
    ("state",),
    "queue.current",
)
QUEUE_READY = Metric(
    "caur_queue_ready_jobs",
    Kind.GAUGE,
    "Jobs that a worker could take at once, by build class.",
    ("build_class",),
)
QUEUE_OLDEST = Metric(
    "caur_queue_oldest_seconds",
    Kind.GAUGE,
    "Age of the oldest job that waits, of those that come first, by where it waits.",
    ("state",),
)
QUEUE_PAUSED = Metric("caur_queue_paused", Kind.GAUGE, "Whether the queue is paused: 1 or 0.")
QUEUE_QUARANTINE = Metric(
    "caur_queue_quarantined_jobs", Kind.GAUGE, "Jobs that were lost too often, until retried."
)
QUEUE_REMOVALS = Metric(
    "caur_queue_removals",
    Kind.GAUGE,
    "Removals of packages that wait, or wait for a yes.",
    ("state",),
)
WORKERS = Metric(
    "caur_workers",
    Kind.GAUGE,
    "Workers that were heard of lately, by what they do and the class that they build up to.",
    ("state", "build_class"),
    "builders.active, builders.idle",
)
RUNNERS = Metric("caur_database_runners", Kind.GAUGE, "Database runners that were heard of lately.")
LOGS = Metric("caur_logs", Kind.GAUGE, "Build logs in Redis.")
LOG_BYTES = Metric("caur_log_bytes", Kind.GAUGE, "Size of the build logs in Redis.")
EVENTS_COUNTED = Metric(
    "caur_events_counted_timestamp_seconds",
    Kind.GAUGE,
    "Time of the newest event that the counters know.",
)

JOBS_SUBMITTED = Metric(
    "caur_jobs_submitted_total", Kind.COUNTER, "Jobs that came.", ("target_repo",)
)
BUILDS = Metric(
    "caur_builds_total",
    Kind.COUNTER,
    "Jobs that ended, by how.",
    ("target_repo", "build_class", "outcome"),
    "builds.total, builds.failed.build, builds.failed.software, builds.failed.timeout, "
    "builds.cancelled",
)
BUILD_FAILURES = Metric(
    "caur_build_failures_total",
    Kind.COUNTER,
    "Jobs that failed, by the kind of failure.",
    ("target_repo", "failure"),
)
BUILDS_LOST = Metric(
    "caur_builds_lost_total",
    Kind.COUNTER,
    "Times that a job was handed back, or its worker not heard of in time.",
    ("how",),
)
BUILD_SECONDS = Metric(
    "caur_build_seconds",
    Kind.HISTOGRAM,
    "How long builds took, from the hand-out to their end or to the delivery.",
    ("build_class",),
    "builds.time.elapsed",
    _BUILD,
)
JOB_WAIT_SECONDS = Metric(
    "caur_job_wait_seconds",
    Kind.HISTOGRAM,
    "How long jobs waited until they were handed out for the first time.",
    ("build_class",),
    "",
    _WAIT,
)
PUBLISH_SECONDS = Metric(
    "caur_publish_seconds",
    Kind.HISTOGRAM,
    "How long publishing took, for each job.",
    ("target_repo",),
    "",
    _PUBLISH,
)
DELIVERIES = Metric(
    "caur_deliveries_total",
    Kind.COUNTER,
    "Built jobs that the database runner dealt with: published, unchanged or refused.",
    ("target_repo", "result"),
    "database.total, database.success, database.failed",
)
LAST_PUBLICATION = Metric(
    "caur_last_publication_timestamp_seconds",
    Kind.GAUGE,
    "When packages were published last.",
    ("target_repo",),
)
REMOVALS = Metric(
    "caur_removals_total",
    Kind.COUNTER,
    "Removals of packages that ended, by how.",
    ("target_repo", "outcome"),
)

PIPELINE_LAST = Metric(
    "caur_pipeline_last_success_timestamp_seconds",
    Kind.GAUGE,
    "When a pipeline last got to the end of its hand-over, with something to build or without.",
    ("pipeline",),
)
PIPELINE_RUNS = Metric(
    "caur_pipeline_runs_total",
    Kind.COUNTER,
    "Pipelines that got to the end of their hand-over.",
    ("pipeline",),
)
PACKAGES = Metric(
    "caur_packages",
    Kind.GAUGE,
    "Packages of the source repositories, by what is wrong with them, as the last hand-over knew.",
    ("condition",),
)

OUTBOX_ENTRIES = Metric(
    "caur_outbox_entries", Kind.GAUGE, "What others have not been told yet.", ("outbox",)
)
OUTBOX_TROUBLES = Metric(
    "caur_outbox_unreachable", Kind.GAUGE, "Targets that take nothing at present.", ("outbox",)
)
OUTBOX_SENT = Metric(
    "caur_outbox_sent_total", Kind.COUNTER, "Messages and statuses that arrived.", ("outbox",)
)
OUTBOX_FAILED = Metric(
    "caur_outbox_failures_total", Kind.COUNTER, "Times that one was not taken.", ("outbox",)
)
OUTBOX_DROPPED = Metric(
    "caur_outbox_dropped_total",
    Kind.COUNTER,
    "What was given up, because it got too old or too much.",
    ("outbox",),
)

HTTP_REQUESTS = Metric(
    "caur_http_requests_total",
    Kind.COUNTER,
    "Requests that the web server answered.",
    ("method", "route", "status"),
)
HTTP_SECONDS = Metric(
    "caur_http_request_seconds",
    Kind.HISTOGRAM,
    "How long it took until the first byte of an answer.",
    ("route",),
    "",
    (0.005, 0.025, 0.1, 0.25, 1, 2.5, 10),
)
HTTP_STREAMS = Metric(
    "caur_http_streams", Kind.GAUGE, "Readers that are connected to something live.", ("kind",)
)
HTTP_SENT_BYTES = Metric(
    "caur_http_streamed_bytes_total", Kind.COUNTER, "Bytes that were sent to them.", ("kind",)
)

METRICS: tuple[Metric, ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, Metric)
)
