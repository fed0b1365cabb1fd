"""Tables for people, who also search them with grep and cut them into columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from caur_ci.plaintext import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderResult


class Rows(Table):
    """A table in the style of all of them: no frame, and no blanks at the ends of lines."""

    def add(self, *cells: str | Text) -> None:
        """Add a row. What is only a string is shown on one line, as it is and harmless."""
        self.add_row(*(_foldable(cell) for cell in cells))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in Segment.split_lines(console.render(_Whole(self), options)):
            yield from _without_blanks_at_the_end(line)
            yield Segment.line()


def table(title: str, total: int | None, *columns: str) -> Rows:
    """Return an empty table; without a title where neither that nor a total is given."""
    heading = title if total is None else f"{title}: {total}"
    rows = Rows(
        title=heading or None,
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
    )
    for column in columns:
        rows.add_column(column, overflow="fold", header_style="dim")
    return rows


class _Whole:
    """What rich makes of a table."""

    def __init__(self, rows: Table) -> None:
        self._rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        return Table.__rich_console__(self._rows, console, options)


def _foldable(cell: str | Text) -> Text:
    # Our consoles leave long lines to the terminal, which would break the columns.
    text = Text(one_line(cell)) if isinstance(cell, str) else cell
    text.no_wrap, text.overflow = False, "fold"
    return text


def _without_blanks_at_the_end(line: Sequence[Segment]) -> Iterator[Segment]:
    used = len(line)
    while used and not line[used - 1].text.strip(" "):
        used -= 1
    yield from line[: max(0, used - 1)]
    if used:
        text, style, control = line[used - 1]
        yield Segment(text.rstrip(" "), style, control)
