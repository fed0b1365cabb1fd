"""Processes that are killed in the middle of what they do, at a chosen step."""

from __future__ import annotations

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


def _kill_before(step: int) -> None:
    left = step

    def count(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING
        if event in _STEPS or writes:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    # Cannot be taken back: the process is the child's own.
    sys.addaudithook(count)
