"""Pictures of who needs whom: where each package and each line is."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.web.pages.paths import package_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import TypeAlias

    # Those that each package needs, or that need it.
    Ties: TypeAlias = Mapping[str, Sequence[str]]

_CHARACTER, _PADDING = 7.0, 20
_ROW, _BOX, _GAP, _MARGIN = 34, 24, 56, 10
_NARROWEST, _WIDEST = 64, 240
_SHOWN_NAME = 32


@dataclass(frozen=True, slots=True)
class Node:
    """A package in its box; `here` is the one that the picture is about."""

    name: str
    label: str
    x: float
    y: float
    width: float
    path: str
    here: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Boxes in columns: what needs something is to the left of what it needs.

    `edges` are the paths of the lines, `left_out` is how many packages are not shown.
    """

    nodes: tuple[Node, ...]
    edges: tuple[str, ...]
    width: int
    height: int
    left_out: int = 0


def neighbourhood(needs: Ties, package: str, *, depth: int = 2, most: int = 60) -> Picture | None:
    """Return the packages around one, at most `depth` steps away; None where there are none."""
    needed_by = _reversed(needs)
    columns = {package: 0}
    for follow, sign in ((needs, 1), (needed_by, -1)):
        for name, steps in _steps_from(package, follow, depth).items():
            columns.setdefault(name, sign * steps)
    if len(columns) < 2:
        return None
    nearest = sorted(columns, key=lambda name: (abs(columns[name]), name))
    shown = {name: columns[name] for name in nearest[:most]}
    return _drawn(shown, needs, here=package, left_out=len(columns) - len(shown))


def whole(needs: Ties, *, most: int = 120) -> Picture | None:
    """Return all packages that need others or are needed, group by group, the largest first.

    Groups that do not fit are left out, but for those of the first one that have the most ties.
    """
    columns: dict[str, int] = {}
    groups = _groups(needs)
    for group in groups:
        if columns and len(columns) + len(group) > most:
            continue
        columns |= _depths(_foremost(group, needs, most), needs)
    if not columns:
        return None
    total = sum(map(len, groups))
    return _drawn(columns, needs, left_out=total - len(columns), groups=groups)


def most_needed(needs: Ties, *, most: int = 30) -> list[tuple[str, int]]:
    """Return the packages that the most others need directly, with how many those are."""
    needed_by = _reversed(needs)
    order = sorted(needed_by, key=lambda name: (-len(needed_by[name]), name))
    return [(name, len(needed_by[name])) for name in order[:most]]


def _drawn(
    columns: Mapping[str, int],
    needs: Ties,
    *,
    here: str = "",
    left_out: int = 0,
    groups: Sequence[Sequence[str]] = (),
) -> Picture:
    by_column: dict[int, list[str]] = defaultdict(list)
    for name in columns:
        by_column[columns[name]].append(name)
    rows = _rows(columns, needs, groups or [list(columns)])
    widths = {column: max(map(_width, names)) for column, names in by_column.items()}
    lefts = _lefts(widths)
    nodes = {
        name: Node(
            name=name,
            label=name if len(name) <= _SHOWN_NAME else f"{name[: _SHOWN_NAME - 1]}…",
            x=lefts[column],
            y=_MARGIN + rows[name] * _ROW,
            width=widths[column],
            path=package_path(name),
            here=name == here,
        )
        for name, column in columns.items()
    }
    edges = [
        _line(nodes[name], nodes[other])
        for name in nodes
        for other in needs.get(name, ())
        if other in nodes
    ]
    return Picture(
        nodes=tuple(nodes.values()),
        edges=tuple(edges),
        width=round(max(lefts[column] + widths[column] for column in lefts) + _MARGIN),
        height=round(2 * _MARGIN + (max(rows.values()) + 1) * _ROW),
        left_out=left_out,
    )


def _lefts(widths: Mapping[int, float]) -> dict[int, float]:
    """Return where columns of these widths begin, one beside the other."""
    lefts, x = {}, float(_MARGIN)
    for column in sorted(widths):
        lefts[column] = x
        x += widths[column] + _GAP
    return lefts


def _rows(
    columns: Mapping[str, int],
    needs: Ties,
    groups: Sequence[Sequence[str]],
) -> dict[str, float]:
    """Return the row of each package: groups below each other, neighbours near each other."""
    rows: dict[str, float] = {}
    top = 0.0
    needed_by = _reversed(needs)
    for group in groups:
        by_column: dict[int, list[str]] = defaultdict(list)
        for name in group:
            if name in columns:
                by_column[columns[name]].append(name)
        if not by_column:
            continue
        tallest = max(map(len, by_column.values()))
        order = {column: sorted(names) for column, names in by_column.items()}
        for _ in range(4):
            for column in sorted(order):
                order[column].sort(key=_middle_of(order, needs, needed_by))
        for names in order.values():
            offset = (tallest - len(names)) / 2
            rows |= {name: top + offset + place for place, name in enumerate(names)}
        top += tallest
    return rows


def _middle_of(
    order: Mapping[int, Sequence[str]],
    needs: Ties,
    needed_by: Ties,
) -> Callable[[str], tuple[float, str]]:
    """Return a key that sorts packages by where those are that they are tied to."""
    places = {
        name: place / max(1, len(names))
        for names in order.values()
        for place, name in enumerate(names)
    }

    def middle(name: str) -> tuple[float, str]:
        tied = [
            places[other]
            for other in (*needs.get(name, ()), *needed_by.get(name, ()))
            if other in places
        ]
        return (sum(tied) / len(tied) if tied else 0.5, name)

    return middle


def _steps_from(start: str, follow: Ties, depth: int) -> dict[str, int]:
    steps = {start: 0}
    waiting = deque([start])
    while waiting:
        name = waiting.popleft()
        if steps[name] == depth:
            continue
        for other in follow.get(name, ()):
            if other not in steps:
                steps[other] = steps[name] + 1
                waiting.append(other)
    del steps[start]
    return steps


def _groups(needs: Ties) -> list[list[str]]:
    """Return the packages that are tied to each other, the largest groups first."""
    needed_by = _reversed(needs)
    both = {name: (*needs.get(name, ()), *needed_by.get(name, ())) for name in needs}
    seen: set[str] = set()
    groups = []
    for name in sorted(needs):
        if name in seen or not both[name]:
            continue
        group = [name, *_steps_from(name, both, len(needs))]
        seen.update(group)
        groups.append(group)
    return sorted(groups, key=lambda group: (-len(group), group))


def _foremost(group: Sequence[str], needs: Ties, most: int) -> list[str]:
    """Return those that have the most ties."""
    needed_by = _reversed(needs)
    ties = {name: len(needs.get(name, ())) + len(needed_by.get(name, ())) for name in group}
    return sorted(group, key=lambda name: (-ties[name], name))[:most]


def _depths(group: Iterable[str], needs: Ties) -> dict[str, int]:
    """Return the column of each package: one to the right of all that need it, cycles aside."""
    order = _in_order(group, needs)
    place = {name: number for number, name in enumerate(order)}
    depths = dict.fromkeys(order, 0)
    for name in order:
        for other in needs.get(name, ()):
            if place.get(other, -1) > place[name]:
                depths[other] = max(depths[other], depths[name] + 1)
    return depths


def _in_order(group: Iterable[str], needs: Ties) -> list[str]:
    """Return packages so that each comes before those that it needs, but for cycles."""
    names = list(group)
    inside, seen = set(names), set[str]()
    done: list[str] = []
    for start in names:
        if start in seen:
            continue
        seen.add(start)
        path = [(start, iter(needs.get(start, ())))]
        while path:
            name, others = path[-1]
            following = next((it for it in others if it in inside and it not in seen), None)
            if following is None:
                done.append(name)
                path.pop()
            else:
                seen.add(following)
                path.append((following, iter(needs.get(following, ()))))
    return done[::-1]


def _reversed(needs: Ties) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for name, others in needs.items():
        for other in others:
            found[other].append(name)
    return dict(found)


def _width(name: str) -> float:
    wanted = min(len(name), _SHOWN_NAME) * _CHARACTER + _PADDING
    return min(max(wanted, _NARROWEST), _WIDEST)


def _line(start: Node, end: Node) -> str:
    """Return a curve from the right of one box to the left of another."""
    x1, y1 = start.x + start.width, start.y + _BOX / 2
    x2, y2 = end.x, end.y + _BOX / 2
    if x2 < x1:  # of a cycle, or within a column
        return f"M{x1:.0f} {y1:.0f}C{x1 + 30:.0f} {y1:.0f} {x2 - 30:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"
    middle = (x1 + x2) / 2
    return f"M{x1:.0f} {y1:.0f}C{middle:.0f} {y1:.0f} {middle:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"
