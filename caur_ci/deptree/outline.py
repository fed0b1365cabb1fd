"""The dependency tree as indented lines, each package opened up once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from caur_ci.deptree.graph import Cause, DependencyTree


class Mark(Enum):
    """What there is to say about a line beside its package."""

    NONE = ""
    SHOWN_ABOVE = "shown above"
    CYCLE = "closes a cycle"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `guide` is what stands before the package, `causes` why it is below the other.

    `needed` is which of the two the other one needs.
    """

    guide: str
    package: str
    needed: str = ""
    causes: tuple[Cause, ...] = ()
    mark: Mark = Mark.NONE


@dataclass(slots=True)
class Outline:
    """Walks through a tree, from a package to what it needs, or with `reverse` to what needs it.

    Iterating gives the lines; `cycles` are the closed ways that were met until then. A package
    that comes again is not opened up again. `depth` is how many steps are shown below the roots.
    """

    tree: DependencyTree
    reverse: bool = False
    depth: int | None = None
    cycles: list[tuple[str, ...]] = field(default_factory=list)
    _opened: set[str] = field(default_factory=set)

    def lines(self, roots: Sequence[str]) -> Iterator[Line]:
        """Return the lines below each of the named `roots`."""
        for root in roots:
            yield from self._below(root)

    def all_lines(self) -> Iterator[Line]:
        """Return the lines of all packages that have to do with another one."""
        linked = [name for name in self.tree if self._next(name) or self._previous(name)]
        yield from self.lines([name for name in linked if not self._previous(name)])
        # Nothing leads into a cycle that nothing else needs.
        for package in linked:
            if package not in self._opened and self._next(package):
                yield from self._below(package)

    def _next(self, package: str) -> dict[str, tuple[Cause, ...]]:
        return self.tree.dependants(package) if self.reverse else self.tree.dependencies(package)

    def _previous(self, package: str) -> dict[str, tuple[Cause, ...]]:
        return self.tree.dependencies(package) if self.reverse else self.tree.dependants(package)

    def _below(self, root: str) -> Iterator[Line]:
        """Return the lines of one root. Not recursive: chains may be long."""
        way: list[str] = []
        # Each with the guide of its line, that of the lines below it, and the length of the way.
        waiting = [(Line("", root), "", 0)]
        while waiting:
            line, below, steps = waiting.pop()
            del way[steps:]
            opens = steps != self.depth and bool(self._next(line.package))
            mark = self._mark(line.package, way, opens=opens)
            yield replace(line, mark=mark) if mark is not Mark.NONE else line
            if mark is not Mark.NONE or not opens:
                continue
            self._opened.add(line.package)
            way.append(line.package)
            waiting += [(*child, steps + 1) for child in self._children(line.package, below)]

    def _children(self, parent: str, below: str) -> Iterator[tuple[Line, str]]:
        """Return the lines under a package, last one first, each with the guide of those under it.

        `below` is the guide that they share.
        """
        corner, space = "└── ", "    "
        for package, causes in reversed(self._next(parent).items()):
            needed = parent if self.reverse else package
            yield Line(f"{below}{corner}", package, needed, causes), f"{below}{space}"
            corner, space = "├── ", "│   "

    def _mark(self, package: str, way: list[str], *, opens: bool) -> Mark:
        if package in way:
            self.cycles.append((*way[way.index(package) :], package))
            return Mark.CYCLE
        return Mark.SHOWN_ABOVE if opens and package in self._opened else Mark.NONE
