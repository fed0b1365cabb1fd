"""Keeps what this process knows from other processes of the same user."""

from __future__ import annotations

import ctypes

_PR_SET_DUMPABLE = 4


def hide_this_process() -> None:
    """Let no process without rights read our memory or the environment we were started with.

    Builds of a worker that is not root run as the worker's own user, which may be that of the
    database runner as well; hooks run as the user of the pipeline. They could read the secrets of
    all of these in /proc otherwise.
    """
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
