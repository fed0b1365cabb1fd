"""For how long somebody who took nothing is left alone."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scheduler.outbox.store import Outbox

_FIRST, _FACTOR, _LONGEST = 15.0, 2.0, 1800.0
_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class Rest:
    """Somebody took nothing `failures` times in a row, since the Unix time `since`, because of
    `reason`; nothing is sent before the Unix time `until`.
    """

    failures: int = 0
    since: float = 0.0
    until: float = 0.0
    reason: str = ""


class Patience:
    """Remembers who has to be left alone, in an outbox, so that restarts do not forget it."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def rests(self) -> dict[str, Rest]:
        """Return all that are left alone, or were when they were asked last."""
        found: dict[str, Rest] = {}
        for whom, text in self._outbox.troubles().items():
            with suppress(ValueError, TypeError):  # of a later version
                found[whom] = Rest(**json.loads(text))
        return found

    def failed(self, whom: str, reason: str, now: float, *, wait: float = 0.0) -> Rest:
        """Leave somebody alone, for longer each time, or for the `wait` that was asked for."""
        before = self.rests().get(whom, Rest(since=now))
        pause = min(_LONGEST, _FIRST * _FACTOR ** min(before.failures, 16))
        rest = replace(
            before,
            failures=before.failures + 1,
            until=now + max(pause, min(wait, _LONGEST)),
            reason=reason[:_LONGEST_REASON],
        )
        self._outbox.set_trouble(whom, json.dumps(asdict(rest)))
        return rest

    def succeeded(self, whom: str) -> None:
        """Forget what was wrong."""
        self._outbox.set_trouble(whom, "")
