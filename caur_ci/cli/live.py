"""The queue on the screen, as it changes."""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from caur_ci.cli.queue_view import status_parts
from caur_ci.errors import InputError, TemporaryError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, RenderableType

    from scheduler.queue import QueueReader, QueueSnapshot

# Without any event, ages are put right this often.
_REDRAWN_EVERY = 5.0
# With many events, that is how often the screen changes at the most.
_SHORTEST_PAUSE = 0.25
_TRY_AGAIN_AFTER = 2.0

_FEWEST_ROWS = 3
# What a table needs besides its rows, and how many tables there usually are.
_FRAME, _TABLES = 3, 5


def follow(queue: QueueReader, console: Console, *, limit: int) -> None:
    """Show the queue until Ctrl-C or SIGTERM.

    Each part shows as many jobs as have room, `limit` at the most. Raises InputError where there
    is no screen.
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
    ):
        for part in _views(queue, console, limit):
            live.update(part, refresh=True)


def _views(queue: QueueReader, console: Console, limit: int) -> Iterator[RenderableType]:
    """Yield a view whenever the queue has changed, for ever."""
    snapshot: QueueSnapshot | None = None
    after = ""
    while True:
        try:
            after = after or queue.last_event_id()
            snapshot = queue.snapshot(limit=_rows(console, limit))
            yield _screen(snapshot)
            after = _next_event(queue, after)
        except TemporaryError as error:
            yield _screen(snapshot, f"{error.message}; trying again")
            time.sleep(_TRY_AGAIN_AFTER)


def _next_event(queue: QueueReader, after: str) -> str:
    """Wait for an event; return the id of the last of those that came with it."""
    if queue.events(after, block=_REDRAWN_EVERY, limit=1):
        time.sleep(_SHORTEST_PAUSE)
    return queue.last_event_id()


def _rows(console: Console, limit: int) -> int:
    return min(limit, max(_FEWEST_ROWS, console.height // _TABLES - _FRAME))


def _screen(snapshot: QueueSnapshot | None, trouble: str = "") -> RenderableType:
    from rich.console import Group  # noqa: PLC0415 - slow to import
    from rich.text import Text  # noqa: PLC0415

    parts: list[RenderableType] = [Text("Ctrl-C ends this.", style="dim")]
    if trouble:
        parts.append(Text(trouble, style="bold yellow"))
    for part in status_parts(snapshot) if snapshot is not None else ():
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
