"""What a client does while its server is away."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, NoReturn

import pytest
from redis import exceptions

from scheduler import embedded
from scheduler.connection import connect
from scheduler.connection.client import PatientRetry
from scheduler.queue import Queue
from tests.support.queue import Background, claimed, eventually, job, submit, worker
from tests.support.redis_server import RedisServer, redis_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    settings = ("port {port}", "appendonly yes", "appendfsync always")
    with redis_server(tmp_path / "redis", *settings) as running:
        yield running


def _url(server: RedisServer) -> str:
    return f"redis://127.0.0.1:{server.port}"


def test_a_command_outlasts_a_restart_of_the_server(server: RedisServer) -> None:
    with connect(_url(server)) as client:
        queue = Queue(client)
        submit(queue, job("a"))
        server.kill()
        submission = Background(lambda: submit(queue, job("b")))
        server.start()
        assert submission.result().jobs
        assert queue.snapshot().total_ready == 2


def test_a_worker_that_waits_outlasts_a_restart_of_the_server(server: RedisServer) -> None:
    with connect(_url(server)) as client, connect(_url(server)) as other:
        waiting = Background(lambda: Queue(client).claim(worker(), wait=15))
        eventually(lambda: bool(Queue(other).snapshot().workers))
        server.kill()
        server.start()
        submit(Queue(other), job("a"))
        assert waiting.result().spec.pkgbase == "a"


def test_many_threads_outlast_a_restart_of_the_server(server: RedisServer) -> None:
    with connect(_url(server)) as client:
        queue = Queue(client)
        asking = [Background(lambda: queue.events(block=1)) for _ in range(4)]
        eventually(lambda: client.info("clients")["blocked_clients"] == 4)
        server.kill()
        server.start()
        assert [one.result() for one in asking] == [[]] * 4


def test_the_embedded_server_is_started_again_when_it_was_killed(tmp_path: Path) -> None:
    try:
        with connect(state_dir=tmp_path) as client:
            queue = Queue(client)
            submit(queue, job("a"))
            os.kill(client.info("server")["process_id"], signal.SIGKILL)
            assert claimed(queue).spec.pkgbase == "a"
    finally:
        assert embedded.stop(tmp_path)


def test_the_embedded_server_stays_stopped_when_somebody_stopped_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.connection.client.PATIENCE", 0.1)
    with connect(state_dir=tmp_path) as client:
        embedded.stop(tmp_path)
        with pytest.raises(exceptions.ConnectionError):
            client.ping()
    assert not embedded.stop(tmp_path)


class Trouble:
    """Something that fails with `error`, and counts how often it was tried."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.tries = 0

    def __call__(self) -> NoReturn:
        self.tries += 1
        raise self.error


def _tries(retry: PatientRetry, error: Exception) -> int:
    trouble = Trouble(error)
    with pytest.raises(type(error)):
        retry.call_with_retry(trouble, lambda _: None)
    return trouble.tries


def test_the_time_is_that_of_the_outage_and_not_of_each_command() -> None:
    retry = PatientRetry(0.5)
    gone = exceptions.ConnectionError("gone")
    assert _tries(retry, gone) > 2
    assert _tries(retry, gone) == 2
    assert retry.call_with_retry(lambda: "here", lambda _: None) == "here"
    assert _tries(retry, gone) > 2


@pytest.mark.parametrize(
    "error", [exceptions.AuthenticationError("wrong"), exceptions.AuthorizationError("no")]
)
def test_what_cannot_get_better_is_not_tried_again(error: Exception) -> None:
    assert _tries(PatientRetry(5), error) == 1


def test_connecting_within_a_command_is_repeated_with_the_command_only() -> None:
    retry = PatientRetry(0.1)
    inner = Trouble(exceptions.ConnectionError("gone"))
    outer = Trouble(exceptions.ConnectionError("never raised"))

    def command() -> None:
        outer.tries += 1
        retry.call_with_retry(inner, lambda _: None)

    with pytest.raises(exceptions.ConnectionError, match="gone"):
        retry.call_with_retry(command, lambda _: None)
    assert inner.tries == outer.tries > 1
