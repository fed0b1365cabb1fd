"""The supervisor alone, without another user to be swept away."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from scheduler.worker.executors.host import supervisor
from tests.support.queue import eventually

if TYPE_CHECKING:
    from pathlib import Path

DEAF = "trap '' TERM HUP INT; while :; do sleep 0.05; done"


def supervised(*command: str, grace: float = 0.2) -> subprocess.Popen[bytes]:
    program = [sys.executable, "-I", supervisor.__file__, "-1", "-1", str(grace)]
    return subprocess.Popen(
        [*program, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def run(*command: str) -> tuple[int, bytes]:
    """Run a command under supervision to its own end."""
    with supervised(*command) as process:
        assert process.stdout is not None
        output = process.stdout.read()
    return process.returncode, output


def is_gone(file: Path) -> bool:
    pid = int(file.read_text())
    return (
        subprocess.run(["kill", "-0", str(pid)], capture_output=True, check=False).returncode != 0
    )


@pytest.mark.parametrize(
    ("script", "code"), [("exit 0", 0), ("exit 77", 77), ("kill -KILL $$", 137)]
)
def test_the_code_is_that_of_the_command(script: str, code: int) -> None:
    assert run("bash", "-c", script) == (code, b"")


def test_a_command_that_is_not_there_is_told() -> None:
    code, output = run("/nothing/here")
    assert code == 127
    assert b"/nothing/here cannot be started: No such file" in output


def test_no_daemon_outlives_the_command(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    daemon = f"setsid bash -c 'echo $$ > {pid}; {DEAF.replace(chr(39), chr(34))}' &"
    script = f"({daemon}) ; while [ ! -s {pid} ]; do sleep 0.02; done; exit 5"

    code, output = run("bash", "-c", script)

    assert code == 5
    assert b"processes that the build left behind were ended" in output
    assert is_gone(pid)


def test_a_command_that_ends_when_asked_is_not_killed() -> None:
    with supervised(
        "bash", "-c", "trap 'exit 42' TERM; echo up; while :; do sleep 0.02; done"
    ) as it:
        assert it.stdin is not None
        assert it.stdout is not None
        assert it.stdout.readline() == b"up\n"
        it.stdin.close()
        assert it.wait(120) == 42


def test_a_deaf_command_and_its_children_are_killed(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    script = f"(echo $BASHPID > {pid}; {DEAF}) & {DEAF}"
    with supervised("bash", "-c", script) as process:
        assert process.stdin is not None
        eventually(lambda: pid.exists() and pid.read_text() != "")
        process.stdin.close()
        assert process.wait(120) == 137
    assert is_gone(pid)


def test_rights_cannot_be_gained() -> None:
    _, output = run("grep", "NoNewPrivs", "/proc/self/status")
    assert output.split() == [b"NoNewPrivs:", b"1"]
