"""What is found at a place: a commit, or why none is known."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Tip:
    """The newest commit of a place, or the revision where commits have numbers.

    `branch` is the name of the branch where it is known, `total` how many commits lead to it, 0
    where that was not asked.
    """

    commit: str
    branch: str = ""
    total: int = 0


class TipTrouble(StrEnum):
    """What to expect of another try."""

    UNREACHABLE = "out of reach"  # nothing else of that server either
    UNUSABLE = "unusable"  # what came makes no sense
    ABSENT = "absent"  # the server says that there is no such repository or branch
    NO_TOOL = "no tool"  # this machine lacks what it takes to ask


@dataclass(frozen=True, slots=True)
class TipProblem:
    """Why a place has no tip. `reason` names the place and holds no credentials."""

    reason: str
    trouble: TipTrouble


class TipError(Exception):
    """A place has no tip, or none can be had now."""

    def __init__(self, reason: str, trouble: TipTrouble) -> None:
        super().__init__(reason)
        self.problem = TipProblem(reason, trouble)
