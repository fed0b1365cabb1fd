"""A private Redis server for each test process, empty at the start of each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scheduler import embedded
from scheduler.connection import connect
from scheduler.queue import Queue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the URL of a running embedded server, for tests that start other processes."""
    state_dir = tmp_path_factory.mktemp("state")
    yield embedded.ensure(state_dir)
    embedded.stop(state_dir)


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    """Return a client of an empty server."""
    with connect(redis_url) as client:
        client.flushall()
        yield client


@pytest.fixture
def queue(redis: Redis) -> Queue:
    """Return a queue without jobs."""
    return Queue(redis)
