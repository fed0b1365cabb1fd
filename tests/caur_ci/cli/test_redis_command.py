"""`caur-ci redis`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from scheduler import embedded
from scheduler.connection import connect

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def redis(command: str) -> int:
    return run(["redis", command], Session())


def test_the_embedded_server_is_started_told_and_stopped(
    private_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert redis("status") == ExitCode.FAILED
    assert capsys.readouterr().out == ""
    try:
        assert redis("start") == ExitCode.OK
        url = capsys.readouterr().out.strip()
        with connect(url) as client:
            assert client.ping()
        assert redis("status") == ExitCode.OK
        assert capsys.readouterr().out.strip() == url
    finally:
        assert redis("stop") == ExitCode.OK
    assert embedded.running(private_home / "state" / "caur-ci") is None
    assert redis("stop") == ExitCode.OK
    assert "not running" in capsys.readouterr().err
