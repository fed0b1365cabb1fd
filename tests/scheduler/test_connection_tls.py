"""TLS connections to a real server: its certificate is always verified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from caur_ci.errors import CaurError, ConfigError, TemporaryError
from caur_ci.process import run
from scheduler.connection import connect
from tests.support.certificates import Certificate, make_ca, make_certificate
from tests.support.redis_server import RedisServer, redis_server
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class World:
    """A server that asks for no client certificate, one that does, and who is who."""

    ca: Certificate
    other_ca: Certificate
    client: Certificate
    stranger: Certificate
    open: RedisServer
    strict: RedisServer


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    need_tools("openssl")
    folder = tmp_path_factory.mktemp("tls")
    ca, other_ca = make_ca(folder, "ca"), make_ca(folder, "other-ca")
    own = make_certificate(ca, folder, "server")
    settings = (
        "port 0",
        "tls-port {port}",
        f"tls-cert-file {own.file}",
        f"tls-key-file {own.key}",
        f"tls-ca-cert-file {ca.file}",
    )
    with (
        redis_server(folder / "open", *settings, "tls-auth-clients no") as open_server,
        redis_server(folder / "strict", *settings) as strict_server,
    ):
        yield World(
            ca=ca,
            other_ca=other_ca,
            client=make_certificate(ca, folder, "client"),
            stranger=make_certificate(other_ca, folder, "stranger"),
            open=open_server,
            strict=strict_server,
        )


def test_the_environment_names_the_ca(world: World) -> None:
    environ = {
        "REDIS_HOST": "localhost",
        "REDIS_PORT": str(world.open.port),
        "REDIS_CA_CERT": str(world.ca.file),
    }
    with connect(environ=environ) as client:
        assert client.ping()


def test_an_address_names_the_ca_and_goes_before_the_environment(world: World) -> None:
    url = f"rediss://localhost:{world.open.port}/0?ssl_ca_certs={quote(str(world.ca.file))}"
    with connect(url, environ={"REDIS_CA_CERT": str(world.other_ca.file)}) as client:
        assert client.ping()


def test_a_server_with_a_certificate_of_another_ca_is_refused(world: World) -> None:
    for environ in ({}, {"REDIS_CA_CERT": str(world.other_ca.file)}):
        with pytest.raises(CaurError, match=r"certificate .* is not accepted") as caught:
            connect(f"rediss://localhost:{world.open.port}", environ=environ)
        assert not isinstance(caught.value, TemporaryError)
        assert f"localhost:{world.open.port}" in caught.value.message
        assert "REDIS_CA_CERT" in caught.value.hint


def test_a_server_with_another_name_is_refused(world: World) -> None:
    environ = {"REDIS_CA_CERT": str(world.ca.file)}
    with pytest.raises(CaurError, match=r"127\.0\.0\.2") as caught:
        connect(f"rediss://127.0.0.2:{world.open.port}", environ=environ)
    assert "not valid for '127.0.0.2'" in caught.value.message


def test_a_server_that_wants_a_client_certificate_gets_it(world: World) -> None:
    environ = {
        "REDIS_CA_CERT": str(world.ca.file),
        "REDIS_CLIENT_CERT": str(world.client.file),
        "REDIS_CLIENT_KEY": str(world.client.key),
    }
    with connect(f"rediss://localhost:{world.strict.port}", environ=environ) as client:
        assert client.ping()


def test_without_the_client_certificate_that_it_wants_the_error_says_so(world: World) -> None:
    environ = {"REDIS_CA_CERT": str(world.ca.file)}
    with pytest.raises(CaurError, match="no TLS connection") as caught:
        connect(f"rediss://localhost:{world.strict.port}", environ=environ)
    assert "REDIS_CLIENT_CERT" in caught.value.hint


def test_a_client_certificate_of_a_stranger_is_refused_by_the_server(world: World) -> None:
    environ = {
        "REDIS_CA_CERT": str(world.ca.file),
        "REDIS_CLIENT_CERT": str(world.stranger.file),
        "REDIS_CLIENT_KEY": str(world.stranger.key),
    }
    with pytest.raises(CaurError, match="no TLS connection"):
        connect(f"rediss://localhost:{world.strict.port}", environ=environ)


def test_a_server_without_tls_is_a_temporary_error_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says nothing, waiting for the end of what it takes for a command."""
    monkeypatch.setattr("scheduler.connection.opening._FIRST_ANSWER_TIMEOUT", 0.2)
    with redis_server(tmp_path / "plain") as plain, pytest.raises(TemporaryError, match="Timeout"):
        connect(f"rediss://localhost:{plain.port}", environ={})


def test_files_that_cannot_be_used_are_told_before_anything_is_sent(
    world: World, tmp_path: Path
) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    locked = tmp_path / "locked.key"
    run(["openssl", "ec", "-in", world.client.key, "-aes256", "-passout", "pass:x", "-out", locked])
    ca, certificate = str(world.ca.file), str(world.client.file)
    for environ, words in (
        ({"REDIS_CA_CERT": str(tmp_path / "none")}, "No such file"),
        ({"REDIS_CA_CERT": str(nonsense)}, "the CA certificate in .* cannot be used"),
        ({"REDIS_CLIENT_KEY": certificate}, "no client certificate"),
        ({"REDIS_CLIENT_CERT": certificate, "REDIS_CLIENT_KEY": ca}, "cannot be used"),
        (
            {"REDIS_CLIENT_CERT": certificate, "REDIS_CLIENT_KEY": str(world.stranger.key)},
            "KEY_VALUES_MISMATCH",
        ),
        ({"REDIS_CLIENT_CERT": certificate, "REDIS_CLIENT_KEY": str(locked)}, "is encrypted"),
    ):
        with pytest.raises(ConfigError, match=words):
            connect("rediss://localhost:1", environ=environ)
