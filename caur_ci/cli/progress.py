"""Progress of long work: a bar on a terminal, a few lines in a log."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from caur_ci.pipeline.shared.progress import Progress

# So many lines for one piece of work, besides the first.
_LINES = 4


@contextmanager
def progress_on(console: Console) -> Iterator[Progress]:
    """Provide somebody who is told how far things are, and shows it."""
    if not console.is_terminal:
        yield _Lines(console)
        return
    from rich.progress import (  # noqa: PLC0415 - slow to import
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as RichProgress  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with RichProgress(*columns, console=console, transient=True) as bars:
        yield _Bar(bars)


class _Bar:
    """One bar at a time."""

    def __init__(self, bars: RichProgress) -> None:
        self._bars = bars
        self._lock = Lock()
        self._task: TaskID | None = None

    def begin(self, what: str, total: int) -> None:
        with self._lock:
            if self._task is not None:
                self._bars.remove_task(self._task)
            self._task = self._bars.add_task(what, total=total)

    def advance(self, steps: int = 1) -> None:
        with self._lock:
            if self._task is not None:
                self._bars.advance(self._task, steps)


class _Lines:
    """A line at the beginning, and one for each quarter of longer work."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = Lock()
        self._what = ""
        self._total = self._done = 0

    def begin(self, what: str, total: int) -> None:
        with self._lock:
            self._what, self._total, self._done = what, total, 0
            if total:
                self._print(f"{what}: {total}")

    def advance(self, steps: int = 1) -> None:
        with self._lock:
            before, self._done = self._done, self._done + steps
            if self._total >= 10 * _LINES and self._part(before) != self._part(self._done):
                self._print(f"{self._what}: {self._done} of {self._total}")

    def _part(self, done: int) -> int:
        return done * _LINES // self._total

    def _print(self, text: str) -> None:
        self._console.print(text, style="dim", markup=False)
