"""The web server tells metrics, those of itself among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from caur_ci.cli.session import Session
from caur_ci.cli.web_services import web_services
from scheduler.settings import WebSettings
from scheduler.web.application import create_app

if TYPE_CHECKING:
    from redis import Redis


def test_requests_are_counted_by_the_patterns_of_their_paths(redis: Redis) -> None:
    with web_services(Session(), {}, redis) as services:
        client = TestClient(create_app(services, WebSettings()))
        for path in ("/healthz", "/api/logs/nothing", "/nowhere/at/all"):
            client.get(path)
        answer = client.get("/metrics")

    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert samples["caur_queue_up",] == 1
    counted = {name: it for name, it in samples.items() if name[0] == "caur_http_requests_total"}
    assert counted["caur_http_requests_total", "GET", "/healthz", "200"] == 1
    assert not any("nowhere" in label for name in counted for label in name)
    assert sum(counted.values()) == 3
