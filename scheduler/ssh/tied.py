"""Becomes the program that it is given, and ends with the process that started it.

Run as a script: `tied.py PARENT PROGRAM ARGUMENT…`, where PARENT is that process's id. The kernel
sees to it, so it works when the parent is killed without a chance to clean up.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, program = int(sys.argv[1]), sys.argv[2]
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        return  # it ended before we asked to be told
    os.execvp(program, sys.argv[2:])  # noqa: S606 - there is no shell to be wanted


if __name__ == "__main__":
    main()
