"""How the server is chosen, and what is said when it does not answer."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import exceptions

from caur_ci.errors import CaurError, ConfigError, ExitCode, TemporaryError
from scheduler import embedded
from scheduler.connection import client_of, connect, default_state_dir, redis_errors
from scheduler.connection.settings import server_at, server_of
from scheduler.queue import Queue
from tests.support.queue import job

if TYPE_CHECKING:
    from redis import Redis


@pytest.mark.parametrize(
    ("environ", "secrets", "url"),
    [
        ({}, {}, None),
        ({"REDIS_HOST": "queue"}, {}, "redis://queue:6379"),
        ({"REDIS_HOST": "queue", "REDIS_PORT": "7000"}, {}, "redis://queue:7000"),
        ({"REDIS_HOST": "::1"}, {}, "redis://[::1]:6379"),
        ({"REDIS_PORT": "7000"}, {}, "redis://127.0.0.1:7000"),
        ({"REDIS_HOST": "q"}, {"REDIS_PASSWORD": "p@:/ß"}, "redis://:p%40%3A%2F%C3%9F@q:6379"),
        (
            {"REDIS_HOST": "q", "REDIS_USER": "caur:builder"},
            {"REDIS_PASSWORD": "p"},
            "redis://caur%3Abuilder:p@q:6379",
        ),
        ({"REDIS_HOST": "q", "REDIS_CA_CERT": "/ca.pem"}, {}, "rediss://q:6379"),
        ({"REDIS_HOST": "q"}, {"REDIS_URL": "rediss://other"}, "rediss://other"),
        ({"REDIS_SSH_HOST": "q"}, {"REDIS_URL": "redis://other"}, "redis://other"),
    ],
)
def test_the_environment_names_a_server(
    environ: dict[str, str], secrets: dict[str, str], url: str | None
) -> None:
    server = server_of(None, environ, secrets)
    assert (server.url if server else None) == url


@pytest.mark.parametrize("port", ["no", "0", "65536", "tcp://10.0.0.1:6379", "-1"])
def test_a_port_that_is_none_is_an_error(port: str) -> None:
    with pytest.raises(ConfigError, match="REDIS_PORT"):
        server_of(None, {"REDIS_HOST": "queue", "REDIS_PORT": port}, {})


def test_a_tunnel_that_was_asked_for_is_never_replaced_by_another_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_SSH_HOST", "queue.invalid")
    with pytest.raises(TemporaryError, match=r"queue\.invalid"):
        connect(state_dir=tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_explicit_url_goes_before_the_environment(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_SSH_HOST", "queue.example.org")
    assert connect(redis_url, secrets={"REDIS_URL": "redis://nowhere.invalid"}).ping()


def test_without_settings_the_embedded_server_of_the_state_folder_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAUR_STATE_DIR", str(tmp_path))
    try:
        assert connect().ping()
        assert (tmp_path / "redis" / "redis.sock").is_socket()
    finally:
        embedded.stop(tmp_path)


def test_the_state_folder_follows_the_environment(
    private_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert default_state_dir() == private_home / "state" / "caur-ci"
    monkeypatch.delenv("XDG_STATE_HOME")
    assert default_state_dir() == private_home / ".local" / "state" / "caur-ci"
    monkeypatch.setenv("CAUR_STATE_DIR", "/elsewhere")
    assert default_state_dir() == Path("/elsewhere")


@pytest.mark.parametrize(
    "url",
    [
        "http://queue",
        "queue:6379",
        "x",
        "redis://queue:port",
        "redis://queue/name",
        "redis://queue?db=name",
        "rediss://queue?ssl_cert_reqs=none",
        "rediss://queue?ssl_check_hostname=false",
        "redis://queue?ssl_ca_certs=/ca.pem",
    ],
)
def test_an_address_that_is_none_is_an_error(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        connect(url, state_dir=tmp_path)


@pytest.mark.parametrize(
    ("environ", "secrets"),
    [
        ({"REDIS_CA_CERT": "/ca.pem"}, {"REDIS_URL": "redis://queue"}),
        ({"REDIS_CLIENT_CERT": "/client.pem", "REDIS_SSH_HOST": "queue"}, {}),
        ({"REDIS_USER": "builder", "REDIS_HOST": "queue"}, {}),
        ({"REDIS_SSH_HOST": "-oProxyCommand=x"}, {}),
        ({"REDIS_SSH_HOST": "queue", "REDIS_SSH_PORT": "ssh"}, {}),
        ({"REDIS_SSH_HOST": "queue", "REDIS_SSH_USER": "-x"}, {}),
        ({"REDIS_SSH_HOST": "queue", "REDIS_SSH_TIMEOUT": "soon"}, {}),
        ({"REDIS_SSH_HOST": "queue", "REDIS_SSH_HOST_FINGERPRINT": "MD5:00"}, {}),
    ],
)
def test_settings_that_cannot_be_followed_are_errors(
    environ: dict[str, str], secrets: dict[str, str]
) -> None:
    with pytest.raises(ConfigError):
        server_of(None, environ, secrets)


def test_an_unreachable_server_is_a_temporary_error_that_names_it_without_the_password() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(TemporaryError) as caught:
            connect(f"redis://user:hunter2@127.0.0.1:{port}")
    assert caught.value.exit_code is ExitCode.TEMPORARY
    assert f"127.0.0.1:{port}" in caught.value.message
    assert "hunter2" not in caught.value.message


def test_the_server_going_away_is_a_temporary_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.connection.client.PATIENCE", 0.1)
    with connect(state_dir=tmp_path) as client:
        queue = Queue(client)
        embedded.stop(tmp_path)
        with pytest.raises(TemporaryError):
            queue.submit("request", [job("a")])


def test_a_wrong_password_is_told_as_such(redis: Redis, redis_url: str) -> None:
    redis.config_set("requirepass", "right")
    try:
        with pytest.raises(CaurError, match="does not let us in") as caught:
            connect(redis_url.replace("unix://", "unix://:wrong@"))
    finally:
        redis.config_set("requirepass", "")
    assert not isinstance(caught.value, TemporaryError)


def test_a_full_server_is_a_temporary_error(queue: Queue, redis: Redis) -> None:
    redis.config_set("maxmemory", "1")
    try:
        with pytest.raises(TemporaryError, match="out of memory"):
            queue.submit("request", [job("a")])
    finally:
        redis.config_set("maxmemory", "0")


def test_an_answer_that_shows_a_mistake_of_ours_is_not_disguised(redis: Redis) -> None:
    redis.set("text", "x")
    with pytest.raises(exceptions.ResponseError, match="WRONGTYPE"), redis_errors():
        redis.lpush("text", "y")


@pytest.mark.parametrize(
    ("answer", "words", "passes"),
    [
        (b"READONLY You can't write against a read only replica.", "read-only replica", True),
        (b"READONLY You can't write. script: 12, on @user_script:3.", "read-only replica", True),
        (b"ERR Error running script: @user_script:1: -READONLY no.", "read-only replica", True),
        (b"UNBLOCKED force unblock, instance state changed", "just become a replica", True),
        (b"LOADING Redis is loading the dataset in memory", "reading its data", True),
        (b"OOM command not allowed when used memory > 'maxmemory'.", "out of memory", True),
        (b"MISCONF Redis is configured to save RDB snapshots", "write to its disk", True),
        (b"BUSY Redis is busy running a script.", "busy with a script", True),
        (b"NOREPLICAS Not enough good replicas to write.", "too few replicas", True),
        (b"MASTERDOWN Link with MASTER is down", "lost its master", True),
        (b"CLUSTERDOWN Hash slot not served", "cluster that is down", True),
        (b"TRYAGAIN Multiple keys request during rehashing", "moving its data", True),
        (b"ERR max number of clients reached", "too many clients", True),
        (b"NOPERM this user has no permissions to run the 'eval' command", "let us do", False),
        (b"NOAUTH Authentication required.", "let us in", False),
        (b"WRONGPASS invalid username-password pair", "let us in", False),
        (b"DENIED Redis is running in protected mode", "protected mode", False),
        (b"ERR unknown command 'EVALSHA', with args beginning with:", "disabled it", False),
        (b"ERR DB index is out of range", "no database of that number", False),
        (b"MOVED 3999 127.0.0.1:6381", "node of a cluster", False),
    ],
)
def test_every_refusal_of_a_server_is_told_as_what_it_is(
    answer: bytes, words: str, passes: bool
) -> None:
    with Answering(b"-" + answer) as server:
        client = client_of(f"redis://127.0.0.1:{server.port}", patience=0)
        with pytest.raises(CaurError, match=words) as caught, redis_errors():
            client.get("x")
    assert isinstance(caught.value, TemporaryError) == passes
    assert passes or caught.value.hint


def test_another_program_is_no_redis_server() -> None:
    with Answering(b"HTTP/1.1 400 Bad Request") as server:
        client = client_of(f"redis://127.0.0.1:{server.port}", patience=0)
        with pytest.raises(CaurError, match="does not speak as one"), redis_errors():
            client.get("x")


@given(password=st.text("/?#@:%[] \t&=+QWX789", min_size=1), database=st.sampled_from(["", "/0"]))
@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_no_part_of_a_password_is_shown_or_looked_up(
    scheme: str, password: str, database: str
) -> None:
    try:
        server = server_at(f"{scheme}://user:{password}@host:1{database}")
    except ConfigError as error:
        told = f"{error.message} {error.hint}"
        assert not re.search("[QWX789]", told.replace("REDIS_PASSWORD", ""))
    else:
        assert server.name == f"{scheme}://host:1{database}"
        assert urlsplit(server.url).hostname == "host"


@pytest.mark.parametrize("url", ["unix:///srv/a@b.sock", "unix://:pw@/srv/a@b.sock?db=1"])
def test_the_path_of_a_socket_may_hold_anything(url: str) -> None:
    assert server_at(url).url == url


class Answering:
    """A server that answers everything with one line."""

    def __init__(self, line: bytes) -> None:
        self._line = line
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            while asked := connection.recv(65536):
                # The client introduces itself first, several commands at once.
                for _ in range(max(1, asked.count(b"\r\nSETINFO\r\n"))):
                    hello = b"SETINFO" in asked or b"MAINT_NOTIFICATIONS" in asked
                    connection.sendall((b"-ERR no" if hello else self._line) + b"\r\n")
