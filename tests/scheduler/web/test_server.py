"""A real server at a port: its limits, slow and rude clients, and how it ends."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest

from caur_ci.errors import ConfigError
from scheduler.settings import WebSettings
from scheduler.web import connections
from scheduler.web.server import running_server
from scheduler.web.streaming import streams
from tests.scheduler.web.support import building
from tests.support.queue import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler.logs import LogStore
    from scheduler.queue import Claim, Queue
    from scheduler.web.services import WebServices


def connected(address: str) -> socket.socket:
    parts = urlsplit(address)
    assert parts.hostname is not None
    return socket.create_connection((parts.hostname, parts.port or 80), timeout=30)


def has_ended(connection: socket.socket) -> bool:
    """Wait for the other side to close the connection."""
    with suppress(ConnectionResetError):
        while connection.recv(65536):
            pass
    return True


@pytest.fixture
def address(services: WebServices) -> Iterator[str]:
    with running_server(services, WebSettings(port=0, log_requests=False)) as server:
        yield server.address


@pytest.fixture
def growing(queue: Queue, log_store: LogStore) -> Claim:
    claim = building(queue, log_store)
    log_store.append(claim.job_id, claim.attempt, b"begin\n")
    return claim


def log_of(claim: Claim, rest: str = "?follow=true") -> str:
    return f"/api/v1/logs/{claim.job_id}/{claim.attempt}{rest}"


def test_connections_that_are_opened_and_left_keep_nobody_out(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "CONNECTIONS_AT_MOST", 50)
    with ExitStack() as stack:
        opened = [stack.enter_context(connected(address)) for _ in range(300)]

        assert httpx.get(f"{address}/healthz").status_code == 200
        assert has_ended(opened[0])


def test_where_all_connections_are_busy_one_more_is_refused(
    address: str, growing: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "CONNECTIONS_AT_MOST", 2)
    with ExitStack() as stack:
        url = f"{address}{log_of(growing)}"
        parts = [stack.enter_context(httpx.stream("GET", url)).iter_bytes() for _ in range(2)]
        assert [next(part) for part in parts] == [b"begin\n"] * 2

        full = httpx.get(f"{address}/healthz")

        assert (full.status_code, full.text) == (503, "too many connections\n")
        assert full.headers["retry-after"] == "10"
    eventually(lambda: httpx.get(f"{address}/healthz").status_code == 200)


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_who_does_not_ask_in_time_is_cut_off(
    services: WebServices, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(connections, "ASKING_SECONDS", 0.1)
    with (
        running_server(services, WebSettings(port=0)) as server,
        connected(server.address) as connection,
    ):
        connection.sendall(sent)
        assert has_ended(connection)
        assert httpx.get(f"{server.address}/healthz").status_code == 200


def test_who_sends_half_a_body_does_not_wait_for_ever(
    services: WebServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.web.bodies._SECONDS", 0.1)
    token = "x" * 32
    with (
        running_server(services, WebSettings(port=0, token=token)) as server,
        connected(server.address) as connection,
    ):
        connection.sendall(
            b"POST /api/v1/retry HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
            b"Authorization: Bearer " + token.encode() + b"\r\n\r\n{"
        )
        assert connection.recv(65536).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET /healthz\r\nHost x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n",
    ],
    ids=["noise", "version", "length", "large headers"],
)
def test_what_is_no_request_is_told(address: str, sent: bytes) -> None:
    with connected(address) as connection:
        with suppress(ConnectionError):
            connection.sendall(sent)
        with suppress(ConnectionResetError):
            answer = connection.recv(65536)
            assert not answer or answer.startswith(b"HTTP/1.1 4")
    assert httpx.get(f"{address}/healthz").status_code == 200


def test_a_slow_reader_keeps_nobody_waiting_and_costs_no_memory(
    services: WebServices,
    queue: Queue,
    log_store: LogStore,
    growing: Claim,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One who reads nothing of a log of 20 MB is cut off; another gets all of it meanwhile."""
    monkeypatch.setattr(connections, "READING_SECONDS", 1.0)
    part = b"x" * 1023 + b"\n"
    with running_server(services, WebSettings(port=0)) as server:
        slow = connected(server.address)
        slow.sendall(f"GET {log_of(growing)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        for _ in range(20):
            log_store.append(growing.job_id, growing.attempt, part * 1024)
        log_store.finish(growing.job_id, growing.attempt)
        with httpx.stream("GET", f"{server.address}{log_of(growing)}") as answer:
            assert sum(len(some) for some in answer.iter_bytes()) == 6 + 20 * len(part) * 1024
        received = 0
        with suppress(ConnectionResetError):
            threading.Event().wait(1.5)
            while some := slow.recv(65536):
                received += len(some)
        assert received < 20 * len(part) * 1024
        slow.close()


def test_a_line_of_ten_megabytes(
    address: str, queue: Queue, log_store: LogStore, growing: Claim
) -> None:
    line = "äöü€".encode() * 1_000_000
    log_store.append(growing.job_id, growing.attempt, line)
    log_store.finish(growing.job_id, growing.attempt)

    text = httpx.get(f"{address}{log_of(growing, '')}").content
    events = httpx.get(f"{address}{log_of(growing, '/events')}").text

    assert text == b"begin\n" + line
    assert events.count("€") == 1_000_000
    assert "\ufffd" not in events
    assert max(map(len, events.splitlines())) < 200_000


def test_readers_who_leave_are_forgotten(
    services: WebServices, growing: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "STREAMS_AT_MOST", 3)
    with running_server(services, WebSettings(port=0)) as server:
        url = f"{server.address}{log_of(growing)}"
        for _ in range(4):
            with ExitStack() as stack:
                readers = [stack.enter_context(httpx.stream("GET", url)) for _ in range(3)]
                parts = [reader.iter_bytes() for reader in readers]
                assert [next(part) for part in parts] == [b"begin\n"] * 3
                full = httpx.get(url)
                assert full.status_code == 503
                assert full.json()["error"] == "too many streams are open"
                assert httpx.get(f"{server.address}/healthz").status_code == 200
            eventually(lambda: has_room(url))


def has_room(url: str) -> bool:
    with httpx.stream("GET", url) as answer:
        return answer.status_code == 200


def test_streams_end_when_the_server_does(services: WebServices, growing: Claim) -> None:
    paths = (log_of(growing), log_of(growing, "/events"), "/api/v1/events")
    with ExitStack() as stack:
        with running_server(services, WebSettings(port=0)) as server:
            answers = [
                stack.enter_context(httpx.stream("GET", f"{server.address}{path}", timeout=60))
                for path in paths
            ]

        text, events, none = [answer.read() for answer in answers]

    assert text == b"begin\n"
    assert b"event: end" not in events
    assert none == b"retry: 2000\n\n"


def test_a_port_that_is_taken_is_told(services: WebServices) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = WebSettings(port=port)
        with pytest.raises(ConfigError, match=f"cannot listen at 127.0.0.1 port {port}") as caught:
            running_server(services, settings).__enter__()
    assert "WEB_PORT" in caught.value.hint


def test_addresses_are_believed_of_trusted_proxies_only(
    services: WebServices, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "scheduler.web.observing")
    forwarded = {"X-Forwarded-For": "192.0.2.7, 198.51.100.3"}
    for proxies in ((), ("127.0.0.0/8", "198.51.100.3/32"), ("10.0.0.0/8",)):
        with running_server(services, WebSettings(port=0, trusted_proxies=proxies)) as server:
            httpx.get(f"{server.address}/healthz", headers=forwarded)
            httpx.get(f"{server.address}/healthz?token=s3cret")

    lines = [record.getMessage() for record in caplog.records]
    assert [line.split(" ")[0] for line in lines[::2]] == ["127.0.0.1", "192.0.2.7", "127.0.0.1"]
    assert "GET '/healthz' 200 in" in lines[0]
    assert not any("s3cret" in line for line in lines)


# Becomes what systemd starts for a socket that it has opened: descriptor 3, and who it is for.
HANDED_OVER = """
import os, socket, sys
listener = socket.create_server(("127.0.0.1", 0))
port = listener.getsockname()[1]
os.dup2(listener.fileno(), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
from scheduler.settings import WebSettings
from scheduler.web.server import _listener
taken = _listener(WebSettings(port=9))
print(taken.getsockname()[1] == port, os.get_inheritable(taken.fileno()))
print("LISTEN_FDS" in os.environ)
os.environ.update(LISTEN_PID="1", LISTEN_FDS="1")
print(_listener(WebSettings(port=0)).getsockname()[1] == port)
"""


def test_a_socket_that_systemd_hands_over_is_listened_at() -> None:
    shown = subprocess.run([sys.executable, "-c", HANDED_OVER], check=True, capture_output=True)
    assert shown.stdout.split() == [b"True", b"False", b"False", b"False"]
