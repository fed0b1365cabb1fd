"""The same tests on every kind of server, with a queue that hands out again at once what was lost.

`CAUR_LONG=1` makes the random ones longer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scheduler.queue import Backoff, Queue
from tests.support.servers import KINDS, server_of_kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis


@pytest.fixture(scope="session", params=KINDS)
def redis_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Return the URL of a running server."""
    with server_of_kind(request.param, tmp_path_factory.mktemp("server")) as url:
        yield url


@pytest.fixture
def queue(redis: Redis) -> Queue:
    """Return a queue without jobs."""
    return Queue(redis, backoff=Backoff(first=0))


@pytest.fixture
def forgetful(redis: Redis) -> Queue:
    """Return the same queue, whose claims are lost at once."""
    return Queue(redis, lease=0, backoff=Backoff(first=0))


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the smallest request, restoration and backup take many parts."""
    monkeypatch.setattr("scheduler.queue.submitting._JOBS_AT_ONCE", 0)
    monkeypatch.setattr("scheduler.queue.running._JOBS_AT_ONCE", 2)
    monkeypatch.setattr("scheduler.queue.backup._READ_AT_ONCE", 1)


@pytest.fixture(params=["at once", "in parts"])
def any_way(request: pytest.FixtureRequest) -> None:
    """Let the same happen in one step and in many parts."""
    if request.param == "in parts":
        request.getfixturevalue("in_parts")


@pytest.fixture
def hints_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let waiters look by themselves only after a test has given up on them."""
    monkeypatch.setattr("scheduler.queue.reader.LONGEST_BLOCK", 25)
