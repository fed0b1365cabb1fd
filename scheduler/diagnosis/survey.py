"""One pass over a log: its steps, what it was built with, its first error, what is new in it."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scheduler.diagnosis.firsterror import ErrorSearch
from scheduler.diagnosis.normal import mark_of
from scheduler.diagnosis.rules import Rank, meaning_of
from scheduler.diagnosis.steps import step_begun

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scheduler.diagnosis.lines import RawLine

# Of longer logs, only steps and messages are compared. In bytes.
_COMPARED = 4 * 1024 * 1024
_MOST_MESSAGES = 20_000
_MOST_STEPS = 100
_KEPT_STEPS = 6
_OURS = "==> caur-ci: "
_ORIGIN = re.compile(
    re.escape(_OURS) + r"the package is from (?P<url>.+), built by the executor (?P<executor>\w+)"
    r"(?: in (?P<image>\S+))?$"
)
_INSTALLED = re.compile(re.escape(_OURS) + r"installed packages: (.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a build took its package from, and where it ran; the URL is without credentials."""

    url: str
    executor: str
    image: str = ""


@dataclass(slots=True)
class Facts:
    """What a log tells of a build besides its end. `installed` has the versions by name."""

    origin: Origin | None = None
    installed: Mapping[str, str] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)

    def look(self, line: RawLine) -> None:
        """Take notice of the next line.

        What is told comes before anything of the package runs: what comes later is not ours.
        """
        text = line[2]
        if not text.startswith("==> "):
            return
        if self.origin is None and (match := _ORIGIN.match(text)):
            self.origin = Origin(**match.groupdict(""))
        elif not self.installed and (match := _INSTALLED.match(text)):
            pairs = (entry.split(" ") for entry in match[1].split(", "))
            self.installed = {pair[0]: pair[1] for pair in pairs if len(pair) == 2}
        elif (step := step_begun(text)) and len(self.steps) < _MOST_STEPS:
            self.steps.append(step.name)


@dataclass(slots=True)
class GoodLog:
    """What the log of a build that went well has, to compare another one with.

    `messages` are the marks of what reads like an error in it; `lines` those of all its lines,
    None where it is too long.
    """

    facts: Facts = field(default_factory=Facts)
    messages: set[int] = field(default_factory=set)
    lines: set[int] | None = field(default_factory=set)

    @classmethod
    def read(cls, lines: Iterable[RawLine]) -> GoodLog:
        """Read the whole log."""
        good = cls()
        for line in lines:
            good._look(line)
        return good

    def _look(self, line: RawLine) -> None:
        _, offset, text = line
        self.facts.look(line)
        if self.lines is not None and offset < _COMPARED:
            self.lines.add(mark_of(text))
        else:
            self.lines = None
        if len(self.messages) < _MOST_MESSAGES:
            meaning = meaning_of(text)
            if meaning is not None and meaning.rank >= Rank.LIKELY:
                self.messages.add(mark_of(text))


class Survey:
    """What there is to know of the log of a build that failed, compared with a good one."""

    def __init__(self, good: GoodLog | None) -> None:
        self.facts = Facts()
        self.search = ErrorSearch(good.messages if good is not None else ())
        self._known = good.lines if good is not None else None
        self._new: deque[tuple[str, RawLine]] = deque(maxlen=_KEPT_STEPS)
        self._step = ""
        self._is_new_sought = True

    def read(self, lines: Iterable[RawLine]) -> None:
        """Read the whole log."""
        for line in lines:
            self.facts.look(line)
            self.search.look(line)
            if self._known is not None:
                self._compare(line, self._known)

    def first_new(self, step: str) -> RawLine | None:
        """Return the first line of a step that the good log has nothing like."""
        found = [line for name, line in self._new if name == step]
        return found[-1] if found else None

    def _compare(self, line: RawLine, known: set[int]) -> None:
        _, offset, text = line
        step = step_begun(text)
        if step is not None:
            self._step, self._is_new_sought = step.name, not step.afterwards
        if self._is_new_sought and offset < _COMPARED and text and mark_of(text) not in known:
            self._new.append((self._step, line))
            self._is_new_sought = False
