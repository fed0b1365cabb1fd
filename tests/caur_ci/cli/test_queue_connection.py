"""Where `schedule` finds the queue: options, environment, `.ci/config`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.queue_connection import open_queue_for_hand_over
from caur_ci.cli.session import Session
from caur_ci.environment import Secrets
from caur_ci.errors import CaurError, ConfigError, ExitCode, TemporaryError
from scheduler import embedded
from tests.support.git import Checkout
from tests.support.queue import job, submit
from tests.support.redis_server import redis_server
from tests.support.sshd import private_ssh, ssh_server

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "secret"


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout.create(tmp_path / "git")


def session(**secrets: str) -> Session:
    return Session(secrets=Secrets(secrets))


def test_the_tunnel_of_the_configuration_is_used(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private_ssh(tmp_path / "ssh")
    monkeypatch.setenv("PATH", f"{tmp_path / 'ssh'}:{os.environ['PATH']}")
    settings = ("port {port}", f"requirepass {PASSWORD}", "appendonly yes")
    with (
        ssh_server(tmp_path / "sshd") as sshd,
        redis_server(tmp_path / "redis", *settings) as redis,
    ):
        config = f"REDIS_SSH_HOST=127.0.0.1\nREDIS_SSH_PORT={sshd.port}\nREDIS_PORT={redis.port}\n"
        checkout.commit("c", {".ci/config": f"{config}REDIS_SSH_USER={sshd.user}\n"})
        secrets = session(REDIS_PASSWORD=PASSWORD, REDIS_SSH_KEY=sshd.key.read_text())

        with pytest.raises(CaurError, match="is not known"):
            open_queue_for_hand_over(secrets, None, checkout.folder)

        fingerprint = f"REDIS_SSH_HOST_FINGERPRINT={sshd.fingerprint}\n"
        checkout.commit("d", {".ci/config": f"{config}REDIS_SSH_USER={sshd.user}\n{fingerprint}"})
        queue = open_queue_for_hand_over(secrets, None, checkout.folder, strict=True)
        assert submit(queue, job("a")).jobs
        del queue


def test_the_environment_goes_before_the_configuration(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout.commit("c", {".ci/config": "REDIS_SSH_HOST=configured.invalid\nREDIS_PORT=1\n"})
    with pytest.raises(TemporaryError, match=r"configured\.invalid"):
        open_queue_for_hand_over(session(), None, checkout.folder)

    monkeypatch.setenv("REDIS_SSH_HOST", "chosen.invalid")
    with pytest.raises(TemporaryError, match=r"chosen\.invalid"):
        open_queue_for_hand_over(session(), None, checkout.folder)
    monkeypatch.delenv("REDIS_SSH_HOST")

    with redis_server(tmp_path / "redis") as redis:
        url = f"redis://127.0.0.1:{redis.port}"
        assert (
            open_queue_for_hand_over(session(REDIS_URL=url), None, checkout.folder)
            .snapshot()
            .total_ready
            == 0
        )
        assert open_queue_for_hand_over(session(), url, checkout.folder).snapshot().total_ready == 0
        monkeypatch.setenv("REDIS_HOST", "127.0.0.1")
        monkeypatch.setenv("REDIS_PORT", str(redis.port))
        assert (
            open_queue_for_hand_over(session(), None, checkout.folder).snapshot().total_ready == 0
        )


@pytest.mark.parametrize("variable", ["GITLAB_CI", "GITHUB_ACTIONS"])
def test_a_runner_that_goes_away_gets_no_server_of_its_own(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    checkout.commit("c")
    monkeypatch.setenv(variable, "true")
    with pytest.raises(ConfigError, match="no Redis server is named"):
        open_queue_for_hand_over(session(), None, checkout.folder)


def test_without_any_settings_the_embedded_server_is_used(
    checkout: Checkout, private_home: Path
) -> None:
    checkout.commit("c")
    try:
        assert (
            open_queue_for_hand_over(session(), None, checkout.folder, strict=True)
            .snapshot()
            .total_ready
            == 0
        )
    finally:
        assert embedded.stop(private_home / "state" / "caur-ci")


@pytest.mark.parametrize(
    "command",
    [
        "status",
        "why app",
        "logs app",
        "explain app",
        "queue list",
        "queue cancel app",
        "notify --list",
    ],
)
def test_a_look_begins_no_queue(
    command: str,
    private_home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(private_home)

    assert run(command.split(), Session()) == ExitCode.FAILED

    assert "there is no queue: no Redis server is named" in capsys.readouterr().err
    assert not (private_home / "state").exists()


def test_a_queue_that_was_stopped_is_looked_at(
    private_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        assert run(["redis", "start"], Session()) == ExitCode.OK
        assert run(["redis", "stop"], Session()) == ExitCode.OK
        assert run(["status"], Session()) == ExitCode.OK
    finally:
        embedded.stop(private_home / "state" / "caur-ci")
