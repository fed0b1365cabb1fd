"""Whether the server is well, and what it says where Redis or the history are out of reach."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from caur_ci.errors import TemporaryError
from scheduler.settings import WebSettings
from scheduler.web.application import create_app

if TYPE_CHECKING:
    from scheduler.history import History
    from scheduler.web.services import WebServices

SETTINGS = WebSettings(log_requests=False)


def out_of_reach(*_: object, **__: object) -> None:
    raise TemporaryError("redis://secret@host is out of reach")


def test_it_is_ready_with_what_it_has(
    client: TestClient, client_of_past: TestClient, services: WebServices
) -> None:
    assert client.get("/readyz").json() == {"status": "ok", "parts": {"redis": "ok"}}
    parts = client_of_past.get("/readyz").json()["parts"]
    assert parts == {"redis": "ok", "history": "ok"}


def test_it_is_not_ready_without_redis(
    services: WebServices, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.queue, "last_event_id", out_of_reach)
    client = TestClient(create_app(replace(services, history=history), SETTINGS))

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json() == {
        "status": "unavailable",
        "parts": {"redis": "out of reach", "history": "ok"},
    }
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/queue", "/api/queue/stats", "/api/logs/a"])
def test_what_needs_redis_says_to_come_back(
    services: WebServices, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(services.queue, "snapshot", out_of_reach)
    monkeypatch.setattr(services.queue, "find", out_of_reach)
    client = TestClient(create_app(services, SETTINGS))

    answer = client.get(path)

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "10"
    assert answer.json()["error"] == "what is needed for this is out of reach now"
    assert "secret" not in answer.text


def test_a_mistake_in_the_program_tells_nothing_about_its_inside(
    services: WebServices, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(services.queue, "snapshot", lambda **_: 1 / 0)
    client = TestClient(create_app(services, SETTINGS), raise_server_exceptions=False)

    answer = client.get("/api/v1/queue")

    assert answer.status_code == 500
    assert "division" not in answer.text
    assert answer.json()["error"].startswith("this went wrong")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "division by zero" in caplog.text


def test_metrics_are_those_of_the_services(services: WebServices) -> None:
    with_metrics = replace(services, metrics=lambda: b"caur_queue_up 1.0\n")
    answer = TestClient(create_app(with_metrics, SETTINGS)).get("/metrics")

    assert answer.content == b"caur_queue_up 1.0\n"
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert TestClient(create_app(services, SETTINGS)).get("/metrics").status_code == 404
