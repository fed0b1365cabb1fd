"""What the long-running commands share: how they end, and what they say meanwhile."""

from __future__ import annotations

import logging
import os
import signal
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from caur_ci.cli.garbage import collect_as_usual
from caur_ci.cli.interruption import leave_to_handlers
from caur_ci.errors import ExitCode
from caur_ci.plaintext import without_commands

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from caur_ci.cli.session import Session

_FORMAT = "%(asctime)s %(levelname)-7s %(message)s"
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# How long it may take to clean up after a second signal. Redis may be out of reach.
_LAST_PATIENCE = 1.5


@contextmanager
def service(session: Session) -> Iterator[threading.Event]:
    """Provide an event that is set when the process is to end in order.

    SIGTERM, SIGHUP and Ctrl-C ask for that; a second one ends it at once. What the services log
    goes to standard error, without secrets.
    """
    collect_as_usual()
    leave_to_handlers()
    stop = threading.Event()
    # Nothing is lost by it: that is what leases are for, and a build ends with its worker.
    watchdog = threading.Timer(_LAST_PATIENCE, os._exit, [ExitCode.INTERRUPTED])
    watchdog.daemon = True

    def ask(_number: int, _frame: FrameType | None) -> None:
        if not stop.is_set():
            stop.set()
            return
        with suppress(RuntimeError):  # a third signal
            watchdog.start()
        raise KeyboardInterrupt

    before = {number: signal.signal(number, ask) for number in _SIGNALS}
    root = logging.getLogger("scheduler")
    handler = logging.StreamHandler()
    handler.setFormatter(_RedactingFormatter(session))
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if session.debug else logging.INFO)
    try:
        yield stop
    finally:
        watchdog.cancel()
        root.removeHandler(handler)
        root.setLevel(level)
        for number, earlier in before.items():
            signal.signal(number, earlier)


def environment_with(**options: object) -> dict[str, str]:
    """Return the environment with the options that were given in place of its variables."""
    given = {name: str(value) for name, value in options.items() if value is not None}
    return {**os.environ, **given}


class _RedactingFormatter(logging.Formatter):
    def __init__(self, session: Session) -> None:
        super().__init__(_FORMAT)
        self._secrets = session.secrets

    def format(self, record: logging.LogRecord) -> str:
        return without_commands(self._secrets.redact(super().format(record)))
