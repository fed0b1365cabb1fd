"""Processes that are killed in the middle of what they do, at a chosen step."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# What changes something outside of the process, or starts something that does.
_STEPS = frozenset(
    {
        *("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.utime"),
        *("os.chmod", "os.truncate", "subprocess.Popen"),
    }
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def killed_at(step: int, action: Callable[[], object]) -> bool:
    """Run `action` in a child that is killed just before its step number `step`, from 1.

    Returns False where there were fewer steps, so that the child ended by itself.
    """
    child = os.fork()
    if child == 0:
        code = 1
        try:
            _kill_before(step)
            action()
            code = 0
        finally:
            os._exit(code)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in {0, -signal.SIGKILL}, f"the child ended with {status}"
    return status != 0


def steps_of(action: Callable[[], object]) -> int:
    """Run `action` in a child that nobody kills, and return at how many steps it could be."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code, steps = 1, itertools.count()
        try:
            _at_each_step(lambda: next(steps))
            action()
            os.write(writing, str(next(steps)).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as answer:
        count = answer.read()
    assert os.waitpid(child, 0)[1] == 0
    return int(count)


def _kill_before(step: int) -> None:
    left = step

    def count() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    _at_each_step(count)


def _at_each_step(call: Callable[[], object]) -> None:
    """Call something before each step; cannot be taken back: the process is the child's own."""

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING
        if event in _STEPS or writes:
            call()

    sys.addaudithook(look)
