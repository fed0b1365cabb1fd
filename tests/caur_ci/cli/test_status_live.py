"""`caur-ci status --live` on a real terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from scheduler.history import History
from tests.support.past import past_job
from tests.support.queue import claimed, job, submit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scheduler.queue import Queue

ALTERNATE_SCREEN, BACK = b"\x1b[?1049h", b"\x1b[?1049l"
CURSOR_SHOWN = b"\x1b[?25h"
TO_THE_CORNER = b"\x1b[H"
START = "from caur_ci.__main__ import main; main()"
# Nothing is drawn but for a reason.
DRAWN_ONCE = f"from caur_ci.cli import live; live._REDRAWN_EVERY = 3600.0; {START}"


class Terminal:
    """A terminal with the command in it."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int) -> None:
        self.process = process
        self._descriptor = descriptor
        self.seen = b""

    def wait_for(self, text: bytes, *, within: float = 120.0) -> None:
        """Read until `text` shows up in what has not been looked at yet."""
        deadline = time.monotonic() + within
        start = len(self.seen)
        while text not in self.seen[start:]:
            assert self._read(deadline - time.monotonic()), self.seen[start:].decode()

    def resize(self, rows: int, columns: int) -> None:
        _resize(self._descriptor, rows, columns)

    def type(self, text: bytes) -> None:
        os.write(self._descriptor, text)

    def end(self, *, within: float = 120.0) -> int:
        """Read what is left and return the exit code."""
        deadline = time.monotonic() + within
        while self._read(deadline - time.monotonic()):
            pass
        return self.process.wait(within)

    def _read(self, within: float) -> bytes:
        ready, _, _ = select.select([self._descriptor], [], [], max(0.0, within))
        try:
            data = os.read(self._descriptor, 65536) if ready else b""
        except OSError:  # the other end is closed
            data = b""
        self.seen += data
        return data


def _resize(descriptor: int, rows: int, columns: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


@contextmanager
def terminal(redis_url: str, start: str = START) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    _resize(theirs, 50, 200)
    command = [sys.executable, "-P", "-c", start, "status", "--live", "--redis", redis_url]
    process = subprocess.Popen(
        ["setsid", "--ctty", *command],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "7", "LINES": "9"},
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        os.close(ours)
        process.kill()
        process.wait()


def test_it_shows_what_happens_as_it_happens_until_ctrl_c(
    queue: Queue, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HISTORY_PATH", str(tmp_path / "history"))
    with History.open(tmp_path / "history") as history:
        history.record([past_job(900, "first", started=1.0, landed=1.0 + 2 * 3600)])
    submit(queue, job("first"), job("second", "first"))
    with terminal(redis_url) as screen:
        screen.wait_for(b"Recent results")
        assert ALTERNATE_SCREEN in screen.seen
        assert b"waits for repo/x86_64/first" in screen.seen

        claimed(queue)
        screen.wait_for(b"in 1 h")  # by the history
        assert b"building" in screen.seen
        submit(queue, job("third"))
        screen.wait_for(b"repo/x86_64/third")

        screen.type(b"\x03")
        assert screen.end() == ExitCode.OK

    assert screen.seen.rindex(BACK) > screen.seen.rindex(ALTERNATE_SCREEN)
    assert CURSOR_SHOWN in screen.seen
    assert b"Traceback" not in screen.seen
    assert b"error" not in screen.seen


def test_sigterm_leaves_the_terminal_in_order_too(queue: Queue, redis_url: str) -> None:
    with terminal(redis_url) as screen:
        screen.wait_for(b"Recent results")
        screen.process.send_signal(signal.SIGTERM)
        assert screen.end() == ExitCode.OK
    assert screen.seen.rindex(BACK) > screen.seen.rindex(ALTERNATE_SCREEN)


def test_it_fits_itself_to_whatever_size_the_terminal_gets(queue: Queue, redis_url: str) -> None:
    submit(queue, job("n" * 200), job("second", "n" * 200))
    with terminal(redis_url, DRAWN_ONCE) as screen:
        screen.wait_for(b"Recent results")
        for rows, columns in ((3, 10), (1, 1), (2, 200), (50, 3), (0, 0), (24, 80)):
            screen.resize(rows, columns)
            screen.wait_for(TO_THE_CORNER)
        screen.resize(50, 200)
        screen.wait_for(b"Recent results")
        screen.type(b"\x03")
        assert screen.end() == ExitCode.OK
    assert b"Traceback" not in screen.seen


@pytest.mark.parametrize(
    ("options", "said"), [([], "needs a terminal"), (["--json"], "either --live or --json")]
)
def test_without_a_terminal_it_is_refused(
    redis_url: str, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    assert run(["status", "--live", *options, "--redis", redis_url], Session()) == ExitCode.FAILED
    assert said in capsys.readouterr().err
