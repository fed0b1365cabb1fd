"""What every service does for the queue besides its own work."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from caur_ci.errors import TemporaryError

if TYPE_CHECKING:
    from collections.abc import Collection

    from scheduler.queue import Queue

_log = logging.getLogger(__name__)

_REAP_EVERY = 15.0
_REGISTER_EVERY = 3600.0


class Upkeep:
    """Takes back lost jobs, and tells for which repositories the service works.

    `targets` and `sources` are the names of repositories to publish in and to build from.
    """

    def __init__(
        self, queue: Queue, *, targets: Collection[str] = (), sources: Collection[str] = ()
    ) -> None:
        self._queue = queue
        self._targets = tuple(targets)
        self._sources = tuple(sources)
        self._next_reap = 0.0
        self._next_register = 0.0

    def do(self) -> None:
        """Do what is due. Raises TemporaryError, and then it is still due."""
        now = time.monotonic()
        if now >= self._next_register:
            self._queue.register(targets=self._targets, sources=self._sources)
            self._next_register = now + _REGISTER_EVERY
        if now >= self._next_reap:
            for returned in self._queue.reap():
                _log.warning("%s: %s", returned.identity, returned.reason)
            self._next_reap = now + _REAP_EVERY

    def leave(self, service: str) -> None:
        """Let the queue forget the service that ends. Without it that takes a while."""
        try:
            self._queue.leave(service)
        except TemporaryError as error:
            _log.warning("the queue could not be told of the end: %s", error)
