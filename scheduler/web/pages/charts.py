"""Charts: where each bar is. Templates draw them, with a table of the same numbers beside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

HEIGHT = 132
_NARROW, _WIDE = 360, 1120
_LEFT, _TOP, _BOTTOM = 8, 22, 22
_WIDEST = 40.0
# As many colours as there are; further kinds share the last one.
KINDS = 8
OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Point:
    """A value, what it is called, and how it is to be seen (see `Badge`)."""

    label: str
    value: float
    tone: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle; `style` is the class that colours it, `title` says what it stands for."""

    x: float
    y: float
    width: float
    height: float
    style: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars above a line; `top` says what the highest stands for, `first` and `last` the ends."""

    name: str
    bars: tuple[Bar, ...]
    top: str
    first: str
    last: str
    points: tuple[Point, ...] = ()
    width: int = _NARROW
    height: int = HEIGHT
    base: int = HEIGHT - _BOTTOM


def bar_chart(name: str, points: Iterable[Point], say: Callable[[float], str]) -> Chart | None:
    """Return a chart of values in order, None of fewer than two; `say` puts a value into words."""
    shown = tuple(points)
    if len(shown) < 2:
        return None
    highest = max(point.value for point in shown) or 1.0
    left, step, width = _steps(len(shown), _NARROW)
    bars = tuple(
        _bar(
            left + place * step,
            width,
            (0.0, point.value / highest),
            style=f"bar {point.tone}".strip(),
            title=f"{point.label}: {say(point.value)}",
        )
        for place, point in enumerate(shown)
    )
    return Chart(
        name=name,
        bars=bars,
        top=say(highest),
        first=shown[0].label,
        last=shown[-1].label,
        points=shown,
    )


@dataclass(frozen=True, slots=True)
class Stacked:
    """A chart whose bars consist of several kinds; `kinds` have the most frequent first."""

    chart: Chart
    kinds: tuple[str, ...]
    rows: tuple[tuple[str, tuple[int, ...]], ...]


def stacked_chart(
    name: str, days: Sequence[str], counts: Mapping[str, Mapping[str, int]]
) -> Stacked | None:
    """Return a chart of how many of each kind there were on each day, None where there were none.

    `counts` has the numbers by day and by kind. Kinds beyond those that have colours are `others`.
    """
    totals: dict[str, int] = {}
    for by_kind in counts.values():
        for kind, count in by_kind.items():
            totals[kind] = totals.get(kind, 0) + count
    if not totals:
        return None
    order = sorted(totals, key=lambda kind: (-totals[kind], kind))
    kinds = tuple(order if len(order) <= KINDS else (*order[: KINDS - 1], OTHERS))
    rows = tuple((day, _by_kind(counts.get(day, {}), kinds)) for day in days)
    highest = max(sum(row) for _, row in rows) or 1
    left, step, width = _steps(len(rows), _WIDE)
    bars: list[Bar] = []
    for place, (day, row) in enumerate(rows):
        below = 0
        for number, count in enumerate(row):
            if count:
                span = (below / highest, (below + count) / highest)
                title = f"{day}, {kinds[number]}: {count}"
                x = left + place * step
                bars.append(_bar(x, width, span, style=f"c{number}", title=title))
                below += count
    chart = Chart(
        name=name,
        bars=tuple(bars),
        top=str(highest),
        first=rows[0][0],
        last=rows[-1][0],
        width=_WIDE,
    )
    return Stacked(chart, kinds, rows)


def _by_kind(counts: Mapping[str, int], kinds: Sequence[str]) -> tuple[int, ...]:
    known = {kind for kind in kinds if kind != OTHERS}
    others = sum(count for kind, count in counts.items() if kind not in known)
    return tuple(others if kind == OTHERS else counts.get(kind, 0) for kind in kinds)


def _steps(count: int, room: int) -> tuple[float, float, float]:
    """Return where the first bar begins, how far apart they begin, and how wide they are."""
    step = (room - 2 * _LEFT) / count
    width = max(1.0, min(0.8 * step, _WIDEST))
    return _LEFT + (step - width) / 2, step, width


def _bar(x: float, width: float, span: tuple[float, float], *, style: str, title: str) -> Bar:
    room = HEIGHT - _TOP - _BOTTOM
    low, high = (_TOP + room * (1 - share) for share in span)
    return Bar(
        round(x, 1), round(high, 1), round(width, 1), round(max(1.0, low - high), 1), style, title
    )
