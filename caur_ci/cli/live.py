"""The queue on the screen, as it changes."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from caur_ci.cli.forecasts import expected_ends
from caur_ci.cli.queue_view import status_parts
from caur_ci.errors import InputError, TemporaryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rich.console import Console, RenderableType
    from rich.live import Live

    from scheduler.queue import JobView, QueueReader, QueueSnapshot

# Without any event, ages are put right this often.
_REDRAWN_EVERY = 5.0
# With many events, that is how often the screen changes at the most.
_SHORTEST_PAUSE = 0.25
_TRY_AGAIN_AFTER = 2.0

# For terminals that do not know their size.
_USUAL = os.terminal_size((80, 24))
_FEWEST_ROWS = 3
# What a table needs besides its rows, and how many tables there usually are.
_FRAME, _TABLES = 3, 5


def follow(
    queue: QueueReader,
    console: Console,
    *,
    limit: int,
    forecasts: Callable[[Sequence[JobView]], Mapping[str, float]],
) -> None:
    """Show the queue until Ctrl-C or SIGTERM.

    Each part shows as many jobs as have room, `limit` at the most. `forecasts` tells how many
    seconds builds take, by identity. Raises InputError where there is no screen.
    """
    from rich.live import Live  # noqa: PLC0415 - slow to import

    if not console.is_terminal:
        raise InputError(
            "--live needs a terminal",
            hint="`caur-ci status` shows the queue once, with --json for other programs.",
        )
    with (
        suppress(KeyboardInterrupt),
        _interrupted_by_sigterm(),
        Live(console=console, screen=True, auto_refresh=False) as live,
        _View(live).drawn_again_when_resized() as view,
    ):
        for snapshot, trouble in _states(queue, limit):
            known = forecasts(snapshot.active) if snapshot is not None else {}
            view.show(_Shown(snapshot, trouble, known))


@dataclass(frozen=True, slots=True)
class _Shown:
    """The queue as it is now, or was when there was no `trouble` yet."""

    snapshot: QueueSnapshot | None = None
    trouble: str = ""
    forecasts: Mapping[str, float] = field(default_factory=dict)


class _View:
    """What is on the screen."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._shown = _Shown()
        self._drawing = self._outdated = False

    def show(self, shown: _Shown) -> None:
        """Show something else."""
        self._shown = shown
        self._draw()

    @contextmanager
    def drawn_again_when_resized(self) -> Iterator[Self]:
        """Fit it to the terminal at once when that changes its size."""
        before = signal.signal(signal.SIGWINCH, lambda *_: self._draw())
        try:
            yield self
        finally:
            signal.signal(signal.SIGWINCH, before)

    def _draw(self) -> None:
        # The signal may come in the middle of this, even behind the last line.
        self._outdated = True
        while self._outdated and not self._drawing:
            self._drawing, self._outdated = True, False
            try:
                rows = max(_FEWEST_ROWS, _fitted(self._live.console) // _TABLES - _FRAME)
                self._live.update(_screen(self._shown, rows), refresh=True)
            finally:
                self._drawing = False


def _fitted(console: Console) -> int:
    """Give the console the size that the terminal has now, and return its height.

    COLUMNS and LINES are left aside: where they are set, they do not follow the terminal.
    """
    from rich.console import ConsoleDimensions  # noqa: PLC0415 - slow to import

    size = os.get_terminal_size(console.file.fileno())
    console.size = ConsoleDimensions(size.columns or _USUAL.columns, size.lines or _USUAL.lines)
    return console.height


def _states(queue: QueueReader, limit: int) -> Iterator[tuple[QueueSnapshot | None, str]]:
    """Yield the queue and what is wrong with it whenever something has changed, for ever."""
    snapshot: QueueSnapshot | None = None
    after = ""
    while True:
        try:
            after = after or queue.last_event_id()
            snapshot = queue.snapshot(limit=limit)
            yield snapshot, ""
            after = _next_event(queue, after)
        except TemporaryError as error:
            yield snapshot, f"{error.message}; trying again"
            time.sleep(_TRY_AGAIN_AFTER)


def _next_event(queue: QueueReader, after: str) -> str:
    """Wait for an event; return the id of the last of those that came with it."""
    if queue.events(after, block=_REDRAWN_EVERY, limit=1):
        time.sleep(_SHORTEST_PAUSE)
    return queue.last_event_id()


def _screen(shown: _Shown, rows: int) -> RenderableType:
    """Return what is shown, with so many rows of each kind at the most."""
    from rich.console import Group  # noqa: PLC0415 - slow to import
    from rich.text import Text  # noqa: PLC0415

    parts: list[RenderableType] = [Text("Ctrl-C ends this.", style="dim")]
    if shown.trouble:
        parts.append(Text(shown.trouble, style="bold yellow"))
    if (snapshot := shown.snapshot) is not None:
        ends = expected_ends(snapshot.active, shown.forecasts, snapshot.time)
        for part in status_parts(snapshot, rows, ends=ends):
            parts += ["", part]
    return Group(*parts)


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """Let SIGTERM act as Ctrl-C does, so that the terminal is left as it was."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
