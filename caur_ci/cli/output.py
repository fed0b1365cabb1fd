"""The streams that everything for people goes through, after it was laid out."""

from __future__ import annotations

import sys
from typing import IO, TYPE_CHECKING, Any

from caur_ci.plaintext import END_OF_LINE, without_commands

if TYPE_CHECKING:
    from collections.abc import Iterable

# A command begins its line, or is a short word: no more of a line has to be known.
_REMEMBERED = 2000


class DefusedStream:
    """Standard output or error, whichever it is at the time, without commands to a forge's log.

    Only what is written can tell: a table folds a harmless cell so that a command begins a line.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._line = ""

    def write(self, text: str) -> int:
        """Write a piece of a line, or several lines."""
        # Blanks are put in behind what begins a command, so what was written stays as it was.
        defused = without_commands(self._line + text)
        self._stream.write(defused[len(self._line) :])
        self._line = END_OF_LINE.split(defused)[-1]
        if len(self._line) > _REMEMBERED:
            self._line = f"x{self._line[-_REMEMBERED:]}"  # no command begins there any more
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several pieces."""
        for line in lines:
            self.write(line)

    @property
    def _stream(self) -> IO[str]:
        stream: IO[str] = getattr(sys, self._name)
        return stream

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a stream has
        return getattr(self._stream, name)
