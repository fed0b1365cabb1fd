"""The description of the API is served, is right, and the server keeps to it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from scheduler.job import Outcome
from scheduler.settings import WebSettings
from scheduler.web.api.document import OPERATIONS, description
from scheduler.web.application import create_app
from tests.scheduler.web.support import TOKEN, built_log
from tests.support.past import past_job

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from scheduler.history import History
    from scheduler.logs import LogStore
    from scheduler.queue import Queue
    from scheduler.web.services import WebServices

# They end when the client does.
_HEADERS = {"Authorization": f"Bearer {TOKEN}"}
_ENDLESS = "/api/(v1/events|manager/logs)"
_CHECKS = [
    not_a_server_error,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]


@pytest.fixture
def served(
    services: WebServices, history: History, queue: Queue, log_store: LogStore
) -> schemathesis.BaseSchema:
    """Return the description as it is served by a server with some content."""
    history.record(past_job(number, outcome=Outcome(number % 8)) for number in range(1, 40))
    built_log(queue, log_store, b"text\n")
    settings_ = WebSettings(token=TOKEN, log_requests=False)
    app = create_app(replace(services, history=history), settings_)
    return schemathesis.openapi.from_asgi("/openapi.json", app)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_the_server_keeps_to_its_description(
    served: schemathesis.BaseSchema, mode: GenerationMode
) -> None:
    """A few made-up requests of each kind, right and wrong ones."""
    found = served.exclude(path_regex=_ENDLESS).get_all_operations()
    operations = [each.ok() for each in found if isinstance(each, Ok)]
    assert len(operations) > 20
    for operation in operations:

        @given(case=operation.as_strategy(mode))
        @settings(max_examples=2, suppress_health_check=list(HealthCheck))
        def keeps_to_it(case: schemathesis.Case[Any]) -> None:
            case.call_and_validate(checks=_CHECKS, headers=_HEADERS)

        # Of what takes nothing, there is no wrong request.
        with suppress(Unsatisfiable):
            keeps_to_it()


def test_every_operation_is_described_once() -> None:
    document = description()

    names = [each.name for each in OPERATIONS]
    assert len(names) == len(set(names))
    described = {
        (path, method) for path, methods in document["paths"].items() for method in methods
    }
    assert {(each.path, each.method.lower()) for each in OPERATIONS} < described


def test_all_routes_below_api_are_described(client: TestClient) -> None:
    routes = {route.path for route in client.app.routes if route.path.startswith("/api/v1")}  # type: ignore[attr-defined]

    assert routes == {path for path in description()["paths"] if path.startswith("/api/v1")}


def test_all_references_lead_somewhere() -> None:
    document = description()

    def check(value: Any) -> None:  # noqa: ANN401 - any JSON
        if isinstance(value, dict):
            if "$ref" in value:
                target: Any = document
                for step in value["$ref"].removeprefix("#/").split("/"):
                    target = target[step]
            for inner in value.values():
                check(inner)
        elif isinstance(value, list):
            for inner in value:
                check(inner)

    check(document)
    assert "QueueSnapshot" in document["components"]["schemas"]
