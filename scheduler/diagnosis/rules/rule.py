"""A rule: what a line reads, whose message that is, and how much it tells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scheduler.job import FailureClass


class Rank(IntEnum):
    """How much a message tells about why a build failed."""

    CONSEQUENCE = 1  # something failed before
    WEAK = 2  # builds that go well have such lines, too
    LIKELY = 3
    CAUSE = 4


@dataclass(frozen=True, slots=True)
class Rule:
    """What one message looks like.

    `word` stands in every such line, in small letters; it is looked for before the pattern is.
    `is_test` says that a test tells of its failure.
    """

    tool: str
    rank: Rank
    word: str
    pattern: re.Pattern[str]
    failure: FailureClass | None = None
    is_test: bool = False


class Rules:
    """Collects the rules of one tool after the other; the first that fits a line counts."""

    def __init__(self) -> None:
        self.found: list[Rule] = []

    def add(
        self,
        tool: str,
        rank: Rank,
        failure: FailureClass | None,
        *messages: tuple[str, str],
        is_test: bool = False,
    ) -> None:
        """Add messages: a word in small letters that each has, and the pattern of its line.

        Patterns are searched for in lines of some length, so they have to be quick: they begin at
        a definite place, and repeat nothing within something repeated.
        """
        self.found += [
            Rule(tool, rank, word, re.compile(pattern), failure, is_test)
            for word, pattern in messages
        ]
