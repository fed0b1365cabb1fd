"""Requests and streams are counted by patterns of paths, which there is a bounded number of."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.testclient import TestClient

from scheduler.settings import WebSettings
from scheduler.web.application import create_app, patterns
from tests.scheduler.web.support import built_log

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler.logs import LogStore
    from scheduler.queue import Queue
    from scheduler.web.services import StreamCounter, WebServices


class Counter:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, int]] = []
        self.streams: list[str] = []
        self.bytes = 0

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        assert seconds >= 0
        self.requests.append((method, route, status))

    @contextmanager
    def streaming(self, kind: str) -> Iterator[StreamCounter]:
        self.streams.append(kind)
        yield self

    def sent(self, size: int) -> None:
        self.bytes += size


def test_what_is_counted(services: WebServices, queue: Queue, log_store: LogStore) -> None:
    counter = Counter()
    claim = built_log(queue, log_store, b"text")
    app = create_app(replace(services, http=counter), WebSettings())
    client = TestClient(app)

    client.get("/api/v1/packages/repo/x86_64/nothing")
    client.get(f"/api/v1/logs/{claim.job_id}/1")
    client.get(f"/api/v1/logs/{claim.job_id}/1/events")
    client.get("/nothing")

    assert counter.requests == [
        ("GET", "/api/v1/packages/{target_repo}/{arch}/{pkgbase}", 404),
        ("GET", "/api/v1/logs/{job}/{attempt}", 200),
        ("GET", "/api/v1/logs/{job}/{attempt}/events", 200),
        ("GET", "", 404),
    ]
    assert {route for _, route, _ in counter.requests if route} <= set(patterns())
    assert counter.streams == ["text", "events"]
    assert counter.bytes > len("text") * 2
