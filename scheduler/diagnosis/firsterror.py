"""Finds the first error of a log: the cause, not what it led to."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scheduler.diagnosis.lines import shown
from scheduler.diagnosis.model import FirstError
from scheduler.diagnosis.normal import mark_of
from scheduler.diagnosis.rules import Meaning, Rank, meaning_of
from scheduler.diagnosis.steps import BEGINNING, Step, is_ours, step_begun
from scheduler.job import FailureClass

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from scheduler.diagnosis.lines import RawLine

_BEFORE, _AFTER = 6, 12
_KEPT_STEPS = 6
# How far before `(ignored)` make's message an error is that it is about.
_IGNORED_WITHIN = 25
# Kinds that have messages of their own: only one of these is the cause of such a failure.
_TELLING = frozenset(
    {
        FailureClass.DISK_FULL,
        FailureClass.OUT_OF_MEMORY,
        FailureClass.CHECKSUM,
        FailureClass.SIGNATURE,
        FailureClass.SOURCE_MISSING,
        FailureClass.MISSING_DEPENDENCY,
        FailureClass.PATCH,
        FailureClass.INFRASTRUCTURE,
    }
)
_BY_FUNCTION = {
    "build": FailureClass.COMPILE,
    "check": FailureClass.CHECK,
    "package": FailureClass.PACKAGING,
}

_Kind = tuple[Rank, "FailureClass | None", bool]


@dataclass(slots=True)
class _Candidate:
    line: RawLine
    meaning: Meaning
    before: tuple[RawLine, ...]
    after: list[RawLine] = field(default_factory=list)


@dataclass(slots=True)
class _Part:
    """One step of the build: the first candidate of each kind, and the last line of a tool."""

    step: Step
    found: dict[_Kind, _Candidate] = field(default_factory=dict)
    last: RawLine | None = None

    def best(self, *, failure: FailureClass | None = None) -> _Candidate | None:
        """Return what tells most, and of such the first; of a kind of failure if one is asked for.

        Where tests were run, their own words count more than what they print.
        """
        fitting = [
            each
            for each in self.found.values()
            if failure is None
            or (each.meaning.failure is failure and each.meaning.rank >= Rank.LIKELY)
        ]
        prefers_tests = self.step.function == "check"
        return max(
            fitting,
            key=lambda each: (
                each.meaning.is_test and prefers_tests,
                each.meaning.rank,
                -each.line[0],
            ),
            default=None,
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """The step that failed, its first error, and the kind of failure that the log tells of."""

    step: str
    error: FirstError | None
    failure: FailureClass | None


class ErrorSearch:
    """Looks at the lines of a log one after the other.

    What is `known` from builds that went well, by `mark_of`, is not why this one failed.
    """

    def __init__(self, known: Container[int] = ()) -> None:
        self._known = known
        self._parts: deque[_Part] = deque([_Part(BEGINNING)], maxlen=_KEPT_STEPS)
        self._context: deque[RawLine] = deque(maxlen=_BEFORE)
        self._open: list[_Candidate] = []
        self._is_over = False

    def look(self, line: RawLine) -> None:
        """Take notice of the next line."""
        if self._is_over:
            return
        if self._open:
            self._complete(line)
        text = line[2]
        if not text or text.isspace():
            return
        step = step_begun(text)
        if step is not None:
            self._begin(step)
            if self._is_over:
                return
        meaning = meaning_of(text)
        if meaning is not None:
            self._take(line, meaning)
        self._context.append(line)
        if not is_ours(text):
            self._parts[-1].last = line

    def finding(self, failure: FailureClass | None, *, hangs: bool = False) -> Finding:
        """Return what was found, where the worker said that it was a `failure` of this kind.

        With `hangs`, the build was ended while it went on: the last line tells where it stood.
        """
        part = self._failed_part()
        if hangs:
            return Finding(part.step.name, _uncertain(part.last), failure)
        if failure in _TELLING:
            for each in reversed(self._parts):
                candidate = each.best(failure=failure)
                if candidate is not None:
                    return Finding(each.step.name, _told(candidate), failure)
        candidate = part.best()
        if candidate is None:
            return Finding(part.step.name, _uncertain(part.last), _kind(part, None))
        kind = _kind(part, candidate)
        if candidate.meaning.rank > Rank.CONSEQUENCE:
            return Finding(part.step.name, _told(candidate), kind)
        return Finding(part.step.name, _before(candidate), kind)

    def _failed_part(self) -> _Part:
        """Return the last step in which anything was said about a failure."""
        for part in reversed(self._parts):
            if part.found:
                return part
        return self._parts[-1]

    def _begin(self, step: Step) -> None:
        if step.afterwards:
            self._is_over = True
            return
        self._parts.append(_Part(step))
        self._context.clear()
        self._open.clear()

    def _complete(self, line: RawLine) -> None:
        for candidate in self._open:
            candidate.after.append(line)
        self._open = [each for each in self._open if len(each.after) < _AFTER]

    def _take(self, line: RawLine, meaning: Meaning) -> None:
        if line[2].endswith("(ignored)"):
            self._excuse(line)
            return
        if meaning.rank >= Rank.LIKELY and mark_of(line[2]) in self._known:
            return
        self._add(_Candidate(line, meaning, tuple(self._context)))

    def _add(self, candidate: _Candidate) -> None:
        meaning = candidate.meaning
        kind = (meaning.rank, meaning.failure, meaning.is_test)
        found = self._parts[-1].found
        if kind not in found:
            found[kind] = candidate
            if len(candidate.after) < _AFTER:
                self._open.append(candidate)

    def _excuse(self, line: RawLine) -> None:
        """Make less of the errors just before a line that says they were ignored."""
        found = self._parts[-1].found
        for kind, each in list(found.items()):
            if each.line[0] >= line[0] - _IGNORED_WITHIN and kind[0] > Rank.WEAK:
                del found[kind]


def find_first_error(
    lines: Iterable[RawLine],
    failure: FailureClass | None = None,
    *,
    known: Container[int] = (),
    hangs: bool = False,
) -> Finding:
    """Return the first error of a log; see `ErrorSearch`."""
    search = ErrorSearch(known)
    for line in lines:
        search.look(line)
    return search.finding(failure, hangs=hangs)


def _told(candidate: _Candidate) -> FirstError:
    meaning = candidate.meaning
    return FirstError(
        line=shown(candidate.line),
        tool=meaning.tool,
        failure=meaning.failure,
        certain=meaning.rank >= Rank.LIKELY,
        before=tuple(map(shown, candidate.before)),
        after=tuple(map(shown, _trimmed(candidate.after))),
    )


def _before(candidate: _Candidate) -> FirstError:
    """Return the line before one that only tells what an error led to."""
    own = [line for line in candidate.before if not is_ours(line[2])]
    if not own:
        return _told(candidate)
    return FirstError(
        line=shown(own[-1]),
        failure=candidate.meaning.failure,
        certain=False,
        before=tuple(map(shown, own[:-1])),
        after=tuple(map(shown, _trimmed([candidate.line, *candidate.after]))),
    )


def _uncertain(line: RawLine | None) -> FirstError | None:
    return None if line is None else FirstError(line=shown(line), certain=False)


def _trimmed(lines: list[RawLine]) -> Iterator[RawLine]:
    """Yield the lines up to where the build is over."""
    for line in lines:
        step = step_begun(line[2])
        if step is not None:
            return
        yield line


def _kind(part: _Part, candidate: _Candidate | None) -> FailureClass | None:
    """Return which kind of failure it was, by the message or else by the step."""
    by_step = _BY_FUNCTION.get(part.step.function.partition("_")[0])
    if candidate is None:
        return by_step
    told, is_test = candidate.meaning.failure, candidate.meaning.is_test
    return told if told in _TELLING or is_test else by_step or told
