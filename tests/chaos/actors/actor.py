"""What all actors have in common: a journal, a queue, and the gift of dying at any moment."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from caur_ci.errors import TemporaryError
from scheduler.connection import client_of
from scheduler.queue import DrainedError, Queue, StaleClaimError
from tests.chaos.journal import DRAINED, LOST, OK, STALE, Journal
from tests.chaos.leash import die_with_parent
from tests.chaos.settings import BACKOFF, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

T = TypeVar("T")

# A word takes about a millisecond: the end comes before, within or after it.
_LAST_MOMENTS = 0.004


class Actor:
    """One process. Its command line names the folder of the run, its part and its generation.

    `id` is the name it goes by in the queue, unlike that of any earlier generation. `doom` is the
    probability to be killed around a word.
    """

    def __init__(self, *, doom: float) -> None:
        self.doom = doom
        die_with_parent()
        self.folder = Path(sys.argv[1])
        self.part, self.generation = sys.argv[2], int(sys.argv[3])
        self.settings = Settings.read(self.folder)
        self.id = f"{self.part}-{self.generation}"
        self.chance = self.settings.chance(self.part, self.generation)
        self.queue = Queue(client_of(self.settings.url), lease=self.settings.lease, backoff=BACKOFF)
        self._journal = Journal(self.folder, self.id, self.id)

    def say(
        self,
        kind: str,
        action: Callable[[], T],
        told: dict[str, Any] | None = None,
        *,
        result: Callable[[T], dict[str, Any]] = lambda _: {},
    ) -> tuple[str, T | None]:
        """Do `action`, written down before and after. Returns how it went, and what it returned.

        `result` picks what of it is written down.
        """
        if self.chance.random() < self.doom:
            self._die_within(self.chance.uniform(0, _LAST_MOMENTS))
        number = self._journal.say(kind, told or {})
        try:
            answer = action()
        except StaleClaimError:
            self._journal.hear(number, STALE)
            return STALE, None
        except DrainedError:
            self._journal.hear(number, DRAINED)
            return DRAINED, None
        except TemporaryError:
            self._journal.hear(number, LOST)
            return LOST, None
        self._journal.hear(number, OK, result(answer))
        return OK, answer

    def say_of_all(
        self,
        kind: str,
        action: Callable[[], T],
        told: Sequence[dict[str, Any]],
        answers: Callable[[T], Iterable[str]],
    ) -> str:
        """Do `action` about several claims at once, written down as if it were said of each.

        `answers` picks what was heard of each, in their order.
        """
        if self.chance.random() < self.doom:
            self._die_within(self.chance.uniform(0, _LAST_MOMENTS))
        numbers = [self._journal.say(kind, each) for each in told]
        try:
            heard = answers(action())
        except TemporaryError:
            for number in numbers:
                self._journal.hear(number, LOST)
            return LOST
        for number, answer in zip(numbers, heard, strict=True):
            self._journal.hear(number, answer)
        return OK

    def retry_while_held(self, *word: Any, **options: Any) -> tuple[str, Any]:  # noqa: ANN401 - see say()
        """Say it until there is an answer."""
        while True:
            answer, value = self.say(*word, **options)
            if answer != LOST:
                return answer, value

    def reap(self) -> None:
        """Take back what others have lost, as every worker and runner does from time to time."""
        if self.chance.random() < 0.3:
            self.say("reap", self.queue.reap)

    @staticmethod
    def _die_within(seconds: float) -> None:
        timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGKILL))
        timer.daemon = True
        timer.start()
