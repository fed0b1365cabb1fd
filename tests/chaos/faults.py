"""What is done to a run, and when."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.chaos.settings import Settings


class Kind(StrEnum):
    """One way to do harm."""

    KILL_WORKER = "worker killed"
    FREEZE_WORKER = "worker stopped beyond its lease"
    DISMISS_WORKER = "worker told to end"
    KILL_RUNNER = "database runner killed"
    KILL_SUBMITTER = "submitter killed"
    KILL_SERVER = "Redis killed"
    CUT = "connections cut"
    REFUSE = "network down"
    LOSE_ANSWERS = "answers lost, then cut"
    DELAY = "network slow"


# How many of each, for a hundred jobs.
_SHARES = {
    Kind.KILL_WORKER: 6.0,
    Kind.FREEZE_WORKER: 1.0,
    Kind.DISMISS_WORKER: 1.0,
    Kind.KILL_RUNNER: 1.0,
    Kind.KILL_SUBMITTER: 0.8,
    Kind.KILL_SERVER: 1.0,
    Kind.CUT: 1.2,
    Kind.REFUSE: 0.7,
    Kind.LOSE_ANSWERS: 1.2,
    Kind.DELAY: 0.5,
}
# All faults are over when this share of the jobs has ended.
_UNTIL = 0.75
_EARLY = 0.3


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, due when `after` jobs have ended, or when nothing else happens for a while.

    `target` picks whom it hits, `seconds` is how long it lasts.
    """

    kind: Kind
    after: int
    target: int
    seconds: float


def schedule(settings: Settings) -> list[Fault]:
    """Return the faults of a run, in order."""
    chance = settings.chance("faults")
    kinds = [
        kind
        for kind, share in _SHARES.items()
        for _ in range(math.ceil(share * settings.jobs / 100))
    ]
    # Submitters end by themselves: theirs come early.
    kinds.sort(key=lambda kind: chance.random() * (_EARLY if kind == Kind.KILL_SUBMITTER else 1))
    distance = settings.jobs * _UNTIL / len(kinds)
    return [
        Fault(kind, int(place * distance), chance.randrange(1 << 16), chance.uniform(0.2, 1.0))
        for place, kind in enumerate(kinds)
    ]
