"""How the server is chosen, and what is said when it does not answer."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from redis import exceptions

from caur_ci.errors import CaurError, ConfigError, ExitCode, TemporaryError
from scheduler import embedded
from scheduler.connection import connect, default_state_dir, redis_errors
from scheduler.connection.settings import server_of
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
