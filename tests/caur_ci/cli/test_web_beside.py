"""The web server beside the database runner: it stops nothing, and comes back."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from caur_ci.cli import companions as module
from caur_ci.cli.companions import companions
from caur_ci.cli.session import Session
from caur_ci.errors import ConfigError
from scheduler.settings import DatabaseSettings
from tests.support.queue import eventually
from tests.support.redis_server import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from redis import Redis


@pytest.fixture
def settings(tmp_path: Path) -> DatabaseSettings:
    return DatabaseSettings(
        source_repos={},
        target_repos={},
        allowed_workers=tmp_path / "allowed_workers",
        cache=tmp_path / "cache",
        repo_path=tmp_path / "www",
        landing_zone=tmp_path / "landing",
        gpg_home=tmp_path / "gnupg",
    )


def is_up(port: int) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    return False


def test_it_serves_what_the_history_beside_it_writes(
    redis: Redis, settings: DatabaseSettings, tmp_path: Path
) -> None:
    port = free_port()
    environment = {"HISTORY_PATH": str(tmp_path / "history")}
    with companions(Session(), settings, redis, environment, web_port=port):
        eventually(lambda: is_up(port))
        assert httpx.get(f"http://127.0.0.1:{port}/api/v1/history").json()["items"] == []
    assert not is_up(port)


def test_a_port_that_is_taken_stops_nothing(
    redis: Redis,
    settings: DatabaseSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    environment = {"HISTORY_PATH": str(tmp_path / "history")}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with companions(Session(), settings, redis, environment, web_port=port):
            eventually(lambda: "there is no web server for now" in caplog.text)
            taken.close()
            eventually(lambda: is_up(port))


def test_settings_that_make_no_sense_are_told_before_anything_runs(
    redis: Redis, settings: DatabaseSettings, tmp_path: Path
) -> None:
    environment = {"HISTORY_PATH": str(tmp_path / "history"), "WEB_BASE_PATH": "no path"}
    with (
        pytest.raises(ConfigError, match="WEB_BASE_PATH"),
        companions(Session(), settings, redis, environment, web_port=1),
    ):
        pass
