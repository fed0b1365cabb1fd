"""The web server, in process and at a port."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import httpx
import pytest
from starlette.testclient import TestClient

from scheduler.history import BuildLogs, History
from scheduler.logs import LogStore
from scheduler.settings import WebSettings
from scheduler.web.application import create_app
from scheduler.web.server import running_server
from scheduler.web.services import WebServices
from tests.scheduler.web.support import TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from redis import Redis

    from scheduler.queue import Queue


@pytest.fixture
def log_store(redis: Redis) -> LogStore:
    return LogStore(redis)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    """Return a history that nothing is in."""
    with History.open(tmp_path / "history") as history:
        yield history


@pytest.fixture
def services(queue: Queue, log_store: LogStore) -> WebServices:
    """Return what there is without a history and without a source repository."""
    return WebServices(queue=queue, logs=BuildLogs(log_store, None))


@pytest.fixture
def settings() -> WebSettings:
    """Return those of a server that can only be read; parametrize it for others."""
    return WebSettings(port=0, log_requests=False)


@pytest.fixture
def client(services: WebServices, settings: WebSettings) -> Iterator[TestClient]:
    """Return a client of the application, without a port; errors are answered."""
    with TestClient(create_app(services, settings), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def client_of_past(
    services: WebServices, settings: WebSettings, history: History
) -> Iterator[TestClient]:
    """Return a client of an application that has a history."""
    app = create_app(replace(services, history=history), settings)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def writer(services: WebServices) -> Iterator[TestClient]:
    """Return a client that knows the token."""
    app = create_app(services, WebSettings(token=TOKEN, log_requests=False))
    with TestClient(app, raise_server_exceptions=False) as client:
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        yield client


@pytest.fixture
def web(services: WebServices, settings: WebSettings) -> Iterator[httpx.Client]:
    """Return a client of a server at a port of loopback."""
    with (
        running_server(services, settings) as server,
        httpx.Client(base_url=server.address, timeout=60) as client,
    ):
        yield client
