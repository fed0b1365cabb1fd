"""The dependency tree on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style

from caur_ci.deptree.outline import Line, Mark, Outline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console, ConsoleOptions

    from caur_ci.deptree import DependencyTree

_DIM = Style(dim=True)
_ROOT = Style(bold=True)
_NAME = Style()
_BROKEN = Style(color="yellow")
_CYCLE = Style(color="red")


def show_tree(
    console: Console,
    tree: DependencyTree,
    roots: Sequence[str],
    *,
    reverse: bool,
    depth: int | None,
) -> None:
    """Print the part of the tree below `roots`, or the whole tree where none are given."""
    outline = Outline(tree, reverse=reverse, depth=depth)
    lines = outline.lines(roots) if roots else outline.all_lines()
    console.print(_Lines(lines, frozenset(problem.package for problem in tree.problems)))
    for cycle in outline.cycles:
        console.print("cycle: ", style=_CYCLE, end="")
        console.print(" → ".join(cycle), markup=False)
    if not roots and (alone := _count_alone(tree)):
        console.print(
            f"{alone} of {len(tree)} packages need no other one here and are needed by none",
            style=_DIM,
        )


def _count_alone(tree: DependencyTree) -> int:
    return sum(not tree.dependencies(name) and not tree.dependants(name) for name in tree)


class _Lines:
    """What rich prints. Its own tree takes too long for a repository of thousands."""

    def __init__(self, lines: Iterable[Line], broken: frozenset[str]) -> None:
        self._lines = lines
        self._broken = broken

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for line in self._lines:
            yield Segment(line.guide, _DIM)
            yield Segment(line.package, self._name_style(line))
            if note := "; ".join(filter(None, (_why(line), line.mark.value))):
                yield Segment(f"  {note}", _CYCLE if line.mark is Mark.CYCLE else _DIM)
            yield Segment.line()

    def _name_style(self, line: Line) -> Style:
        if line.package in self._broken:
            return _BROKEN
        return _NAME if line.guide else _ROOT


def _why(line: Line) -> str:
    """Say why the package is there, where it is not a plain dependency on its own name."""
    parts = [
        cause.need.value if cause.relation == line.needed else f"{cause.need} {cause.relation}"
        for cause in line.causes
    ]
    return "" if parts == ["depends"] else ", ".join(parts)
