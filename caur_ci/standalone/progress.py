"""What somebody sees while it runs: a live picture in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from scheduler.job import JobState, Outcome

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import RenderableType

    from caur_ci.standalone.board import JobBoard, JobProgress

_STYLES = {
    JobState.WAITING: "dim",
    JobState.READY: "",
    JobState.BUILDING: "yellow",
    JobState.LANDED: "cyan",
    JobState.PUBLISHING: "cyan",
}


def words(course: JobProgress) -> Text:
    """Say where a job stands, in words and colour."""
    if course.outcome is None:
        return Text(course.state.value, style=_STYLES.get(course.state, ""))
    if course.outcome is Outcome.SUCCESS:
        return Text("published", style="green")
    return Text(course.outcome.name.lower().replace("_", " "), style="bold red")


class Progress(Protocol):
    """Is told what happens."""

    def begin(self, step: str) -> None:
        """Tell that the next step begins, and that the one before it is done."""
        ...

    def moved(self, course: JobProgress, /) -> None:
        """Tell that a job has moved on."""
        ...


def progress_on(console: Console, board: JobBoard) -> AbstractContextManager[Progress]:
    """Return what suits the console."""
    return LiveProgress(console, board) if console.is_terminal else PlainProgress(console)


class PlainProgress(AbstractContextManager["PlainProgress"]):
    """One line for each step and each move, with the seconds since the start."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = time.monotonic()

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""

    def begin(self, step: str) -> None:
        """See `Progress.begin`."""
        self._line(step)

    def moved(self, course: JobProgress, /) -> None:
        """See `Progress.moved`."""
        by = f" ({course.worker})" if course.state is JobState.BUILDING else ""
        self._line(f"  {course.pkgbase}: {words(course).plain}{by}")

    def _line(self, text: str) -> None:
        self._console.print(f"{time.monotonic() - self._started:5.1f} s  {text}", markup=False)


class LiveProgress(AbstractContextManager["LiveProgress"]):
    """The steps so far, and below them a table of the jobs that changes in place."""

    def __init__(self, console: Console, board: JobBoard) -> None:
        self._steps: list[str] = []
        self._board = board
        self._spinner = Spinner("dots")
        self._done = False
        self._live = Live(console=console, get_renderable=self._render, refresh_per_second=8)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done = kind is None
        self._live.stop()

    def begin(self, step: str) -> None:
        """See `Progress.begin`."""
        self._steps.append(step)

    def moved(self, _course: JobProgress, /) -> None:
        """See `Progress.moved`: the picture is drawn anew several times a second anyway."""

    def _render(self) -> RenderableType:
        steps = Table.grid(padding=(0, 1))
        for step in self._steps[:-1]:
            steps.add_row(Text("✓", style="green"), step)
        if self._steps:
            mark = Text("✓", style="green") if self._done else self._spinner
            steps.add_row(mark, self._steps[-1])
        # The summary that follows has a table of its own.
        if self._done or not self._board.jobs:
            return steps
        jobs = Table("package", "where it stands", "worker", "seconds", box=None, padding=(0, 2))
        for course in self._board:
            jobs.add_row(course.pkgbase, words(course), course.worker, _elapsed(course))
        return Group(steps, Text(), jobs)


def _elapsed(course: JobProgress) -> str:
    if not course.started:
        return ""
    return f"{course.seconds or max(0.0, time.time() - course.started):.1f}"
