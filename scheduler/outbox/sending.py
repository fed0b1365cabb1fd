"""Sends what waits, one process at a time, until told to stop."""

from __future__ import annotations

import logging
import secrets
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from caur_ci.errors import CaurError, TemporaryError

if TYPE_CHECKING:
    from collections.abc import Callable

    from scheduler.outbox.store import Outbox

_log = logging.getLogger(__name__)

_EVERY = 2.0
_AFTER_AN_ERROR = 30.0
# How long nobody else sends; longer than one message may take.
_TURN = 180.0


class DeliveryError(CaurError):
    """Something was not taken. `wait` is for how many seconds to leave them alone, 0 if not told.

    What is `refused` will not be taken another time either.
    """

    def __init__(self, message: str, *, wait: float = 0.0, refused: bool = False) -> None:
        super().__init__(message)
        self.wait = wait
        self.refused = refused


class Sender(Protocol):
    """What sends the entries of an outbox."""

    @property
    def name(self) -> str:
        """What it is called in logs."""
        ...

    @property
    def outbox(self) -> Outbox:
        """Where its entries are."""
        ...

    def send(self, may_go_on: Callable[[], bool]) -> None:
        """Send what can be sent now. `may_go_on` is asked before each message."""
        ...


class Dispatcher:
    """Lets a sender send. Of several processes that have one, one sends."""

    def __init__(self, sender: Sender, stop: threading.Event) -> None:
        self._sender = sender
        self._stop = stop
        self._owner = secrets.token_hex(8)

    def start(self) -> threading.Thread:
        """Send in a thread of its own, and return it."""
        thread = threading.Thread(target=self.run, name=self._sender.name, daemon=True)
        thread.start()
        return thread

    def run(self) -> None:
        """Send until told to stop."""
        while not self._stop.is_set():
            self._stop.wait(_EVERY if self.step() else _AFTER_AN_ERROR)
        with suppress(TemporaryError):
            self._sender.outbox.let_go(self._owner)

    def step(self) -> bool:
        """Send what can be sent now; tell whether all went as it should."""
        try:
            if self._may_go_on():
                self._sender.send(self._may_go_on)
        except TemporaryError as error:
            _log.warning("%s: %s", self._sender.name, error)
        except Exception:  # noqa: BLE001 - whatever it is, the others go on
            _log.exception("%s failed", self._sender.name)
        else:
            return True
        return False

    def _may_go_on(self) -> bool:
        return not self._stop.is_set() and self._sender.outbox.hold(self._owner, _TURN)
