"""Ctrl-C and its like: they end the work once, and leave the cleaning up in peace."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """While it is entered, the first signal raises KeyboardInterrupt and later ones do nothing."""

    def __init__(self) -> None:
        self._held = False
        self._pending = False

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._handle) for number in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let what runs inside come to its end first."""
        before, self._held = self._held, True
        try:
            yield
        finally:
            self._held = before
        if self._pending and not self._held:
            self._interrupt()

    def _handle(self, *_: object) -> None:
        if self._held:
            self._pending = True
        else:
            self._interrupt()

    def _interrupt(self) -> None:
        self._held = True
        raise KeyboardInterrupt
