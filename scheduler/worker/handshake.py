"""Finds out, before a job is taken, whether the database runner would publish what is delivered."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError
from scheduler.landing.greeting import Greeting
from scheduler.presence import WELCOME

if TYPE_CHECKING:
    from threading import Event

    from scheduler.landing import Landing
    from scheduler.presence import Presence
    from scheduler.workerkeys import WorkerKey

_log = logging.getLogger(__name__)

_WELCOME_FOR = 3600.0
_AGAIN_AFTER = 15.0
_LOOK_AROUND = 0.2
# Between the greeting and a runner's look that has to have found it.
_MARGIN = 0.5


class NotWelcomeError(CaurError):
    """What this worker delivers would not be published."""


class Handshake:
    """The greetings of one worker.

    A runner that is busy, or not running, says nothing: then deliveries wait for it, so jobs may be
    taken, and it is said once that nobody knows.
    """

    def __init__(self, landing: Landing, key: WorkerKey, worker: str, presence: Presence) -> None:
        self._landing = landing
        self._key = key
        self._worker = worker
        self._presence = presence
        self._greeting: Greeting | None = None
        self._greeted_at = 0.0
        self._good_until = 0.0
        self._refused = ""
        self._refused_until = 0.0
        self._told = False

    def check(self) -> None:
        """Raise NotWelcomeError where deliveries would not be published.

        Raises CaurError and OSError where the landing zone is out of reach.
        """
        if time.monotonic() < self._good_until:
            return
        if time.monotonic() < self._refused_until:
            raise self._refusal()
        if self._greeting is None:
            self._greet()
        self._hear()

    def wait(self, seconds: float, stop: Event) -> None:
        """Wait that long at the most until it is known, or until `stop`.

        There is no waiting where no runner was heard of lately. Raises TemporaryError when Redis
        is out of reach; all else is for `check` to raise.
        """
        until = time.monotonic() + (seconds if self._presence.knows_runners() else 0.0)
        while not stop.is_set() and time.monotonic() < until:
            try:
                self.check()
            except (CaurError, OSError):
                return
            if time.monotonic() < self._good_until:
                return
            stop.wait(_LOOK_AROUND)
        if not stop.is_set() and not self._told:
            self._told = True
            _log.warning(
                "no database runner has answered yet: what is built waits in the landing zone"
            )

    def _greet(self) -> None:
        greeting = Greeting.sign(self._worker, self._key)
        self._landing.greet(greeting)
        self._greeted_at = self._presence.now()
        self._greeting = greeting

    def _hear(self) -> None:
        assert self._greeting is not None  # noqa: S101 - see check()
        answer = self._presence.answer_to(self._greeting.id)
        if answer == WELCOME:
            if self._told and not self._good_until:
                _log.info("a database runner has answered")
            self._good_until = time.monotonic() + _WELCOME_FOR
            self._greeting = None
        elif answer:
            self._greeting = None
            self._refused = answer
            self._refused_until = time.monotonic() + _AGAIN_AFTER
            raise self._refusal()
        else:
            looked = self._presence.looking().values()
            # Of several runners the one that has welcomed us may just be busy for long.
            if looked and min(looked) > self._greeted_at + _MARGIN and not self._good_until:
                raise NotWelcomeError(
                    "the database runner does not see what this worker puts into its landing zone",
                    hint="LANDING_ZONE_PATH, or DATABASE_HOST, has to lead both to one folder.",
                )

    def _refusal(self) -> NotWelcomeError:
        return NotWelcomeError(
            f"the database runner would refuse what this worker delivers: {self._refused}",
            hint="`caur-ci worker --print-key` shows the line for its ALLOWED_WORKERS.",
        )
