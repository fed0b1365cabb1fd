"""Runs one command and leaves nothing of it behind. A program of its own, started by the worker.

It becomes the parent of everything that loses its own one below it, so it can end all that a
build started, daemons included. When the worker closes the pipe on standard input, or dies, the
command is asked to end and then made to. At the end what was used is reported the same way, if a
socket is there. Standard library only: it is started as a file, with any Python, in any
environment.

    supervisor.py UID GID GRACE COMMAND…    (UID -1: stay the user we are)
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_CONTROL = 0
_PATIENCE = 0.3
_LAST_RESORT = 10.0


class UsageReport(NamedTuple):
    """What all processes together have used; the memory is that of the largest."""

    cpu_seconds: float = 0.0
    largest: int = 0

    @classmethod
    def parse(cls, data: bytes) -> UsageReport:
        """Read what was reported, or nothing."""
        try:
            seconds, size = data.split()
            return cls(float(seconds), int(size))
        except ValueError:
            return cls()


def main(arguments: list[str]) -> int:
    """Run the command and return its exit code, 128 more than the signal if one ended it."""
    uid, gid, grace = int(arguments[0]), int(arguments[1]), float(arguments[2])
    _harden()
    wakeup = _wake_on_signals()
    try:
        command = _start(arguments[3:], uid, gid)
    except OSError as error:
        _tell(f"{arguments[3]} cannot be started: {error.strerror}")
        return 127
    code = _wait(command.pid, wakeup, grace)
    left = _end_descendants()
    if left:
        _tell(f"processes that the build left behind were ended: {left}")
    command.returncode = code
    _report()
    return code


def _harden() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    for option in (_PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS):
        if libc.prctl(option, 1, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), f"prctl {option}")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _wake_on_signals() -> int:
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(writer)
    # Ctrl-C reaches the whole group of the worker; the worker decides what becomes of the build.
    # A handler, not SIG_IGN, which the command would inherit.
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    return reader


def _start(command: list[str], uid: int, gid: int) -> subprocess.Popen[bytes]:
    same = uid < 0
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        umask=0o022,
        user=None if same else uid,
        group=None if same else gid,
        extra_groups=None if same else [],
    )


def _wait(pid: int, wakeup: int, grace: float) -> int:
    watched = [_CONTROL, wakeup]
    deadline: float | None = None
    while True:
        code = _reap(pid)
        if code is not None:
            return code
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        ready, _, _ = select.select(watched, [], [], left)
        if wakeup in ready:
            os.read(wakeup, 4096)
        if _CONTROL in ready and not os.read(_CONTROL, 4096):
            watched = [wakeup]
            deadline = time.monotonic() + grace
            _signal_group(pid, signal.SIGTERM)
        if deadline is not None and time.monotonic() >= deadline:
            deadline = time.monotonic() + grace
            _kill(descendants(os.getpid()))


def _reap(wanted: int) -> int | None:
    """Collect what has ended; return the code of `wanted` once that has."""
    code = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if pid == 0:
            return code
        if pid == wanted:
            ended = os.waitstatus_to_exitcode(status)
            code = ended if ended >= 0 else 128 - ended


def _end_descendants() -> int:
    """End everything below this process; return how much would not end by itself."""
    killed: set[int] = set()
    now = time.monotonic()
    patience, deadline = now + _PATIENCE, now + _LAST_RESORT
    while (now := time.monotonic()) < deadline:
        _reap(0)
        below = descendants(os.getpid())
        if not below:
            break
        if now > patience:
            _kill(below)
            killed |= below
        time.sleep(0.01)
    _reap(0)
    return len(killed)


def descendants(root: int) -> set[int]:
    """Return all processes below `root`."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_bytes()
            except OSError:
                continue  # it has ended meanwhile
            # The name before these fields may hold anything, brackets included.
            state, parent, *_ = stat[stat.rindex(b")") + 2 :].split()
            if state not in {b"Z", b"X"}:
                children.setdefault(int(parent), []).append(int(folder.name))
    found: set[int] = set()
    open_ends = [root]
    while open_ends:
        below = children.get(open_ends.pop(), [])
        found.update(below)
        open_ends.extend(below)
    return found


def _report() -> None:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    text = f"{used.ru_utime + used.ru_stime} {used.ru_maxrss * 1024}"
    with contextlib.suppress(OSError):  # a pipe, which is for reading only
        os.write(_CONTROL, text.encode())


def _signal_group(leader: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, number)


def _kill(pids: set[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _tell(text: str) -> None:
    with contextlib.suppress(OSError):  # the worker that read it may be gone
        os.write(1, f"==> caur-ci: {text}\n".encode())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
