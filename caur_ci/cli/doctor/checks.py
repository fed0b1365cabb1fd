"""What a doctor finds."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from caur_ci.errors import CaurError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class State(StrEnum):
    """How something is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    SKIPPED = "skipped"  # it could not be looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found of one thing. `remedy` says what to do, where that helps."""

    part: str
    what: str
    state: State
    message: str
    remedy: str = ""


@dataclass(slots=True)
class Examination:
    """The findings about one part."""

    part: str
    findings: list[Finding] = field(default_factory=list)

    def ok(self, what: str, message: str) -> None:
        """Note that something is as it should be."""
        self._note(what, State.OK, message)

    def warn(self, what: str, message: str, remedy: str) -> None:
        """Note what will make trouble some day."""
        self._note(what, State.WARNING, message, remedy)

    def problem(self, what: str, message: str, remedy: str) -> None:
        """Note what makes trouble."""
        self._note(what, State.PROBLEM, message, remedy)

    def skip(self, what: str, message: str) -> None:
        """Note what could not be looked at."""
        self._note(what, State.SKIPPED, message)

    def look(self, what: str, at: Callable[[], T]) -> T | None:
        """Return what `at` returns; what it raises is a problem, with its hint as the remedy."""
        try:
            return at()
        except CaurError as error:
            self.problem(what, error.message, error.hint)
        except OSError as error:
            self.problem(what, str(error), "")
        return None

    def tool(self, program: str, purpose: str, *, needed: bool = True) -> bool:
        """Note whether a program is there; tell whether it is."""
        path = shutil.which(program)
        if path:
            self.ok(program, path)
        else:
            tell = self.problem if needed else self.warn
            tell(program, f"it is not installed; {purpose}", f"Install {program}.")
        return bool(path)

    def _note(self, what: str, state: State, message: str, remedy: str = "") -> None:
        self.findings.append(
            Finding(part=self.part, what=what, state=state, message=message, remedy=remedy)
        )
