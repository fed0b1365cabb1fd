"""Answers the greetings of workers: whether their deliveries are seen, and would be published."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import InputError, TemporaryError
from scheduler.files import open_regular_file
from scheduler.landing.foreign import ForeignFolder
from scheduler.landing.greeting import MAX_SIZE, NAME, check_greeting
from scheduler.presence import WELCOME

if TYPE_CHECKING:
    from scheduler.presence import Presence
    from scheduler.workerkeys import AllowedWorkers

_log = logging.getLogger(__name__)

_EVERY = 1.0
_AT_ONCE = 100


@dataclass(slots=True)
class Greeter:
    """Answers what is put into the folder `landing`."""

    landing: Path
    allowed: AllowedWorkers
    presence: Presence
    runner: str
    _next: float = 0.0

    def do(self) -> None:
        """Answer what there is, once a second at most. Raises TemporaryError."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _EVERY
        since = self.presence.now()
        try:
            with ForeignFolder.opened(self.landing) as zone:
                found = list(filter(NAME.fullmatch, zone.names()))
                answered = [self._answer(zone, name) for name in found[:_AT_ONCE]]
        except OSError as error:
            _log.warning("the landing zone cannot be looked into: %s", error)
            return
        if len(answered) == len(found) and all(answered):
            self.presence.has_looked(self.runner, since)

    def _answer(self, zone: ForeignFolder, name: str) -> bool:
        """Answer a greeting; return whether that is done."""
        match = NAME.fullmatch(name)
        assert match is not None  # noqa: S101 - only such are listed
        try:
            with open_regular_file(Path(name), dir_fd=zone.descriptor) as stream:
                content = stream.read(MAX_SIZE)
            worker = check_greeting(content, match[1], self.allowed)
        except InputError as error:
            _log.warning("a worker is not welcome: %s. %s", error.message, error.hint)
            self.presence.answer(match[1], error.message)
        except FileNotFoundError:
            return True  # another runner was faster
        except (TemporaryError, OSError) as error:
            _log.warning("a greeting cannot be answered: %s", error)
            return False
        else:
            _log.info("worker %s delivers here, and its key is known", worker)
            self.presence.answer(match[1], WELCOME)
        try:
            zone.remove(name)
        except FileNotFoundError:
            pass  # another runner was faster
        except OSError as error:
            _log.warning("a greeting cannot be removed: %s", error)
        return True
