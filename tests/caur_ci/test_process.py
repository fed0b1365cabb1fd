"""The subprocess runner and the environment that children get."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from caur_ci.environment import Secrets, child_environment, take_secrets
from caur_ci.errors import ExitCode, ProcessError
from caur_ci.process import OutputTooLargeError, run
from tests.support.queue import eventually


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


def test_a_tool_that_prints_too_much_is_ended() -> None:
    with pytest.raises(OutputTooLargeError, match="printed more than 1000000 bytes"):
        run(["yes"], largest_output=1_000_000)


def test_what_a_tool_may_print_is_all_there() -> None:
    content = b"0123456789" * 200_000
    assert run(["cat"], stdin=content, largest_output=len(content)).stdout == content


def test_a_tool_that_takes_too_long_is_ended() -> None:
    with pytest.raises(ProcessError, match="longer than"):
        run(["sleep", "60"], timeout=0.05)


def test_its_children_can_be_ended_with_it(tmp_path: Path) -> None:
    note = tmp_path / "child"
    script = 'sleep 60 & echo $! >"$1.new"; mv "$1.new" "$1"; wait'

    with pytest.raises(ProcessError, match="longer than"):
        run(["sh", "-c", script, "sh", note], timeout=1, with_children=True)

    child = int(note.read_text())
    eventually(lambda: not is_running(child))


def is_running(pid: int) -> bool:
    statm = Path(f"/proc/{pid}/statm")
    return statm.exists() and not statm.read_text().startswith("0 ")  # of a zombie


def test_how_large_a_file_may_become_can_be_limited(tmp_path: Path) -> None:
    command = ["dd", f"of={tmp_path / 'file'}"]

    run(command, stdin=b"x" * 100_000, largest_file=100_000)
    with pytest.raises(ProcessError):
        run(command, stdin=b"x" * 100_000, largest_file=99_999)


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


def test_secrets_in_files_are_read_and_their_places_taken_out_as_well(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter2\n")
    (tmp_path / "key").write_text("-----BEGIN\nhunter3\n-----END\n")
    environ = {
        "REDIS_PASSWORD_FILE": str(tmp_path / "password"),
        "REDIS_SSH_KEY_FILE": str(tmp_path / "key"),
        "API_TOKEN": "the variable itself",
        "API_TOKEN_FILE": str(tmp_path / "missing"),
        "GPG_PASSPHRASE_FILE": "",
        "SOME_FILE": "no secret",
    }
    secrets = take_secrets(environ)
    assert environ == {"SOME_FILE": "no secret"}
    assert dict(secrets) == {
        "REDIS_PASSWORD": "hunter2",
        "REDIS_SSH_KEY": "-----BEGIN\nhunter3\n-----END\n",
        "API_TOKEN": "the variable itself",
    }


def test_a_secret_whose_file_is_missing_is_told_by_its_name(tmp_path: Path) -> None:
    environ = os.environ | {"REDIS_PASSWORD_FILE": str(tmp_path / "missing")}
    ended = subprocess.run(
        [sys.executable, "-m", "caur_ci", "--version"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == ExitCode.FAILED
    assert f"REDIS_PASSWORD_FILE: the file {tmp_path}/missing" in ended.stderr
    assert "Traceback" not in ended.stderr
