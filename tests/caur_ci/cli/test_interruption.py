"""Ctrl-C, wherever it comes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# Longer than anything here takes that is not stopped; nobody waits for it where all is well.
_LONG = 300
READY = b"ready\n"
STUBBORN = """
import time
while True:
    try:
        print("ready", flush=True)
        time.sleep(300)
    except KeyboardInterrupt:
        pass
"""


@contextmanager
def running(
    *arguments: str,
    handler: signal.Handlers = signal.SIG_DFL,
    environ: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Provide a Python process that takes SIGINT as one in the foreground does."""
    process = subprocess.Popen(
        [sys.executable, "-P", *arguments],
        env={**os.environ, **(environ or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, handler),  # noqa: PLW1509
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def interrupted(process: subprocess.Popen[bytes]) -> tuple[int, bytes]:
    """Press Ctrl-C; return the exit code, and what was said."""
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=_LONG - 1)
    return process.returncode, said


def ready(process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == READY


def test_while_modules_are_loaded(tmp_path: Path) -> None:
    # One of the first modules that the command line needs takes its time.
    (tmp_path / "traceback.py").write_text(STUBBORN)
    with running("-m", "caur_ci", "--help", environ={"PYTHONPATH": str(tmp_path)}) as process:
        ready(process)
        assert interrupted(process) == (ExitCode.INTERRUPTED, b"error: interrupted\n")


def test_in_a_call_that_no_exception_ends() -> None:
    start = "from caur_ci.cli import interruption as i; i.end_silently(); i.raise_soon()"
    with running("-c", f"{start}\n{STUBBORN}") as process:
        ready(process)
        assert interrupted(process) == (ExitCode.INTERRUPTED, b"error: interrupted\n")


def test_in_the_background_it_has_no_effect() -> None:
    start = "from caur_ci.cli import interruption as i; i.end_silently(); i.raise_soon()"
    check = "import signal; assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN"
    with running("-c", f"{start}\n{check}", handler=signal.SIG_IGN) as process:
        assert process.communicate() == (b"", b"")
        assert process.returncode == 0


@pytest.mark.parametrize("command", ["status", "why a", "logs a", "worker", "database"])
def test_while_a_server_does_not_answer(tmp_path: Path, command: str) -> None:
    environ = {
        "CAUR_STATE_DIR": str(tmp_path / "state"),
        "PACKAGE_REPOS": '{"r": {"url": "https://repo.example"}}',
        "PACKAGE_TARGET_REPOS": '{"r": {}}',
        "LANDING_ZONE_PATH": str(tmp_path),
        "REPO_PATH": str(tmp_path),
        "GPG_PATH": str(tmp_path),
        "ALLOWED_WORKERS": str(tmp_path / "allowed"),
    }
    (tmp_path / "allowed").touch()
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"redis://127.0.0.1:{server.getsockname()[1]}"
        arguments = ("-m", "caur_ci", *command.split(), "--redis", url)
        with running(*arguments, environ=environ) as process:
            server.settimeout(_LONG)
            with server.accept()[0]:
                code, said = interrupted(process)
    assert code == ExitCode.INTERRUPTED, said
    assert said.endswith(b"error: interrupted\n")
    assert b"Traceback" not in said
