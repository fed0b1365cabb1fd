"""`caur-ci redis`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from scheduler import embedded
from scheduler.connection import connect
from tests.support.servers import has_functions

if TYPE_CHECKING:
    from pathlib import Path


def redis(*command: str) -> int:
    return run(["redis", *command], Session())


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


@pytest.mark.usefixtures("private_home")
def test_the_functions_are_loaded_and_those_of_other_versions_go_on_request(
    capsys: pytest.CaptureFixture[str],
) -> None:
    try:
        redis("start")
        with connect(capsys.readouterr().out.strip()) as client:
            if not has_functions(client):
                pytest.skip("this server has no functions")
            old = "caur_0123456789ab"
            client.function_load(f"#!lua name={old}\nredis.register_function('x', function() end)")
            assert redis("load") == ExitCode.OK
            name = capsys.readouterr().out.strip()
            assert name.startswith("caur_")
            assert client.function_list(name)
            assert client.function_list(old)
            assert redis("load", "--prune") == ExitCode.OK
            assert f"{old}, of another version, is taken out" in capsys.readouterr().err
            assert not client.function_list(old)
    finally:
        redis("stop")
