"""The subprocess runner and the environment that children get."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.environment import Secrets, child_environment, take_secrets
from caur_ci.errors import ProcessError
from caur_ci.process import run

if TYPE_CHECKING:
    from pathlib import Path


def test_arguments_reach_the_tool_as_they_are() -> None:
    assert run(["printf", "%s", "$HOME; `id` 'x'\n"]).stdout == b"$HOME; `id` 'x'\n"


def test_a_failure_carries_command_code_and_output() -> None:
    with pytest.raises(ProcessError) as caught:
        run(["sh", "-c", "echo out; echo why >&2; exit 3"])
    assert caught.value.returncode == 3
    assert caught.value.stdout == b"out\n"
    assert "exit code 3" in caught.value.message
    assert "why" in caught.value.message


def test_a_missing_tool_says_so() -> None:
    with pytest.raises(ProcessError, match="no-such-tool was not found"):
        run(["no-such-tool"])


def test_a_missing_folder_is_not_taken_for_a_missing_tool(tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match=r"the folder .* does not exist"):
        run(["true"], cwd=tmp_path / "gone")


def test_a_tool_that_takes_too_long_is_ended() -> None:
    with pytest.raises(ProcessError, match="longer than"):
        run(["sleep", "60"], timeout=0.05)


def test_a_signal_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match="signal 9"):
        run(["sh", "-c", "kill -9 $$"], cwd=tmp_path)


def test_children_see_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCESS_TOKEN", "hunter2")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "hunter2")
    monkeypatch.setenv("HARMLESS", "yes")
    shown = run(["env"]).stdout
    assert b"hunter2" not in shown
    assert b"HARMLESS=yes" in shown
    assert child_environment({"EXTRA": "1"})["EXTRA"] == "1"


def test_secrets_are_moved_and_hidden() -> None:
    environ = {"ACCESS_TOKEN": "hunter2", "PATH": "/bin"}
    secrets = take_secrets(environ)
    assert environ == {"PATH": "/bin"}
    assert secrets["ACCESS_TOKEN"] == "hunter2"
    assert "hunter2" not in repr(secrets)
    assert secrets.redact("say hunter2") == "say ***"
    assert repr(Secrets()) == "Secrets()"
