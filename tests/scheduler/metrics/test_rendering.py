"""What Prometheus reads, by its own parser."""

from __future__ import annotations

import re
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from scheduler.job import Outcome, Removal
from scheduler.logs import LogStore
from scheduler.metrics import (
    Condition,
    EventCounter,
    HttpMetrics,
    Metrics,
    Pipeline,
    Tallies,
    serving_metrics,
    tell_of_run,
)
from scheduler.metrics.definitions import METRICS, Kind
from scheduler.outbox import Outbox
from scheduler.queue import Queue, QueueReader
from tests.support.queue import claimed, job, submit, worker
from tests.support.redis_server import free_port

Samples = dict[tuple[str, tuple[str, ...]], float]


def read(metrics: Metrics) -> Samples:
    """Return the value of each sample, by its name and its labels in the order of their names."""
    return {
        (sample.name, tuple(label for _, label in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
    }


def some(samples: Samples, metric: str) -> dict[str, float]:
    """Return what is not 0 of a metric with one label."""
    return {
        labels[0]: value for (name, labels), value in samples.items() if name == metric and value
    }


def test_the_queue_at_this_moment(redis: Redis, queue: Queue) -> None:
    builder = worker("builder", 9)
    submit(queue, job("a"), job("b", "a"), job("c"), job("d", build_class="3"))
    queue.submit("r", [], [Removal(target_repo="repo", remove=("x",))])
    claim = claimed(queue, builder)
    queue.claim(worker("other", 0))
    logs = LogStore(redis)
    logs.start(claim.job_id, 1, claim.identity)
    logs.append(claim.job_id, 1, b"12345")
    queue.pause("because")

    found = read(Metrics(queue))

    assert some(found, "caur_queue_jobs") == {"ready": 2, "waiting": 1, "building": 1}
    assert some(found, "caur_queue_ready_jobs") == {"1": 1, "3": 1}
    assert found["caur_queue_up", ()] == 1
    assert found["caur_queue_paused", ()] == 1
    assert found["caur_queue_removals", ("waiting",)] == 1
    assert found["caur_workers", ("9", "building")] == 1
    assert (found["caur_logs", ()], found["caur_log_bytes", ()]) == (1, 5)
    assert 0 <= found["caur_queue_oldest_seconds", ("waiting",)] < 600


def test_a_job_that_has_to_wait_again_is_not_ready(queue: Queue) -> None:
    submit(queue, job("lib"))
    submit(queue, job("base"))
    submit(queue, job("lib", "base"))

    assert some(read(Metrics(queue)), "caur_queue_ready_jobs") == {"1": 1}


def test_counters_survive_the_process(redis: Redis, queue: Queue) -> None:
    queue.register(targets=["repo"])
    submit(queue, job("a"))
    queue.finish(claimed(queue), Outcome.FAILED)
    EventCounter(queue, Tallies(redis)).consume(queue.events())

    found = read(Metrics(Queue(redis)))

    assert found["caur_builds_total", ("1", "failed", "repo")] == 1
    assert found["caur_build_seconds_bucket", ("1", "30")] == 1
    assert found["caur_build_seconds_bucket", ("1", "+Inf")] == 1
    assert found["caur_build_seconds_count", ("1",)] == 1
    assert found["caur_events_counted_timestamp_seconds", ()] > 1.7e9


def test_pipelines_tell_of_themselves(queue: Queue) -> None:
    tell_of_run(queue, Pipeline.ON_SCHEDULE, {Condition.STALE: 3, Condition.HELD: 1}, 1e9)
    tell_of_run(queue, Pipeline.ON_SCHEDULE, {Condition.STALE: 2, Condition.HELD: 0}, 2e9)

    found = read(Metrics(queue))

    assert found["caur_pipeline_runs_total", ("on-schedule",)] == 2
    assert found["caur_pipeline_last_success_timestamp_seconds", ("on-schedule",)] == 2e9
    assert found["caur_packages", ("stale",)] == 2
    assert found["caur_packages", ("held",)] == 0


def test_what_others_have_not_been_told(redis: Redis, queue: Queue) -> None:
    outbox = Outbox(redis, "notifications")
    outbox.position(lambda: "1-0")
    outbox.write({"a": "1"}, after="1-0", position="2-0")
    outbox.count("sent", 3)
    outbox.set_trouble("telegram", "{}")

    found = read(Metrics(queue))

    assert found["caur_outbox_entries", ("notifications",)] == 1
    assert found["caur_outbox_unreachable", ("notifications",)] == 1
    assert found["caur_outbox_sent_total", ("notifications",)] == 3


def test_http_is_counted_in_bounded_labels(queue: Queue) -> None:
    http = HttpMetrics(["/api/logs/{id}"])
    http.answered("GET", "/api/logs/{id}", 200, 0.01)
    http.answered("BREW", "/etc/passwd", 999, 0.01)
    with http.streaming("log") as stream:
        stream.sent(100)
        found = read(Metrics(queue, http=http))

    assert found["caur_http_requests_total", ("GET", "/api/logs/{id}", "200")] == 1
    assert found["caur_http_requests_total", ("other", "other", "other")] == 1
    assert found["caur_http_request_seconds_count", ("other",)] == 1
    assert found["caur_http_streams", ("log",)] == 1
    assert found["caur_http_streamed_bytes_total", ("log",)] == 100


def test_a_queue_that_is_away_is_a_number() -> None:
    with Redis(port=free_port(), retry=Retry(NoBackoff(), 0)) as away:
        found = read(Metrics(QueueReader(away)))

    assert found["caur_queue_up", ()] == 0
    assert not any(name.startswith("caur_builds") for name, _ in found)


def test_every_metric_that_is_told_is_described(queue: Queue) -> None:
    text = Metrics(queue, http=HttpMetrics()).render().decode()
    kinds = dict(re.findall(r"^# TYPE (caur_\w+) (\w+)$", text, re.MULTILINE))

    described = {metric.name: str(metric.kind) for metric in METRICS}
    # Of what the library makes itself it also tells since when.
    assert {it: kind for it, kind in kinds.items() if not it.endswith("_created")} == described


def test_names_follow_the_conventions() -> None:
    for metric in METRICS:
        assert metric.name.startswith("caur_")
        assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
        assert metric.name.endswith("_seconds") or metric.kind is not Kind.HISTOGRAM
        assert bool(metric.buckets) == (metric.kind is Kind.HISTOGRAM)
        assert not {"pkgbase", "package", "job", "commit"} & set(metric.labels)
        assert metric.help.endswith(".")


def test_the_queue_is_asked_once_a_second(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = Metrics(queue)
    before = metrics.render()
    submit(queue, job("a"))
    assert metrics.render() == before

    monkeypatch.setattr(metrics, "_until", 0.0)
    assert read(metrics)["caur_queue_jobs", ("ready",)] == 1


def test_a_port_of_its_own(queue: Queue) -> None:
    with serving_metrics(Metrics(queue).render, "127.0.0.1", 0) as port:
        with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            assert b"\ncaur_queue_up 1.0\n" in answer.read()
        with pytest.raises(HTTPError, match="404"):
            urlopen(f"http://127.0.0.1:{port}/")
        with serving_metrics(Metrics(queue).render, "127.0.0.1", port) as other:
            assert other == 0


def test_a_mistake_ends_nothing() -> None:
    answers = iter([b"fine\n"])
    with serving_metrics(lambda: next(answers), "127.0.0.1", 0) as port:
        with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            assert answer.read() == b"fine\n"
        for _ in range(2):
            with pytest.raises(HTTPError, match="500"):
                urlopen(f"http://127.0.0.1:{port}/metrics")
