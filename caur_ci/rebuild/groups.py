"""Which packages are rebuilt together, and so published together."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Iterator, Mapping

    from caur_ci.deptree import DependencyTree

_LONGEST_NAME = 40
_DIGITS = 10


def rebuild_groups(
    causes: Mapping[str, Collection[str]], tree: DependencyTree
) -> dict[str, tuple[str, ...]]:
    """Return groups of packages, by a name for each: those that belong to one another.

    `causes` says by package what it is rebuilt for. Packages with a cause in common belong
    together, and so do those of which one needs the other, maybe through others. A package alone is
    no group. The name is the same for the same packages and causes.
    """
    found = _Parts(causes)
    for package, its in sorted(causes.items()):
        for cause in its:
            found.join(package, f"cause:{cause}")
        for other in _needed(package, causes, tree):
            found.join(package, other)
    groups: dict[str, tuple[str, ...]] = {}
    for members in found.parts(causes):
        if len(members) > 1:
            groups[_name_of(members, causes)] = members
    return groups


def _needed(package: str, members: Container[str], tree: DependencyTree) -> Iterator[str]:
    """Yield the members that a package needs, also through packages that are none."""
    seen, waiting = {package}, [package]
    while waiting:
        for other in tree.dependencies(waiting.pop()):
            if other in seen:
                continue
            seen.add(other)
            if other in members:
                yield other
            else:
                waiting.append(other)


class _Parts:
    """A partition that grows together."""

    def __init__(self, nodes: Iterable[str]) -> None:
        self._above = {node: node for node in nodes}

    def join(self, one: str, other: str) -> None:
        """Let both belong to the same part."""
        self._above[self._top(other)] = self._top(one)

    def parts(self, nodes: Iterable[str]) -> list[tuple[str, ...]]:
        """Return the parts of `nodes`, each sorted."""
        found: dict[str, list[str]] = {}
        for node in sorted(nodes):
            found.setdefault(self._top(node), []).append(node)
        return [tuple(members) for members in found.values()]

    def _top(self, node: str) -> str:
        path = []
        while (above := self._above.setdefault(node, node)) != node:
            path.append(node)
            node = above
        for below in path:
            self._above[below] = node
        return node


def _name_of(members: Iterable[str], causes: Mapping[str, Collection[str]]) -> str:
    lines = [f"{name} {' '.join(sorted(causes[name]))}" for name in members]
    first = min(cause for name in members for cause in causes[name])
    readable = re.sub(r"[^a-z0-9@._+-]+", "-", first.lower())[:_LONGEST_NAME].strip("@._+-")
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:_DIGITS]
    return f"{readable or 'rebuild'}-{digest}"
