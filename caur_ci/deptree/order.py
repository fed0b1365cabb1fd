"""In which order the packages of a tree are built: layers, and what to do about cycles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from caur_ci.deptree.graph import Need

if TYPE_CHECKING:
    from collections.abc import Iterable

    import networkx as nx

    from caur_ci.deptree.graph import DependencyTree

    # From a package to what it needs.
    Graph = nx.DiGraph[str]


@dataclass(frozen=True, slots=True)
class SetAside:
    """A dependency that the order does not keep, because it closes a cycle."""

    package: str
    needs: str


@dataclass(frozen=True, slots=True)
class BuildOrder:
    """The packages in layers: each needs only packages of the layers before it.

    `cycles` are the groups of packages that need each other, `set_aside` the dependencies that
    had to be ignored so that one of each group can go first.
    """

    layers: tuple[tuple[str, ...], ...]
    cycles: tuple[tuple[str, ...], ...] = ()
    set_aside: tuple[SetAside, ...] = ()


def build_order(tree: DependencyTree) -> BuildOrder:
    """Return the order in which the packages of `tree` can be built.

    The same tree gives the same order, whichever way its packages were read.
    """
    import networkx as nx  # noqa: PLC0415 - slow to import

    graph = _graph(tree)
    cycles = _knots(graph)
    set_aside = [edge for members in cycles for edge in _untie(graph, members, tree)]
    layers = nx.topological_generations(graph.reverse(copy=False))
    return BuildOrder(
        layers=tuple(tuple(sorted(layer)) for layer in layers),
        cycles=cycles,
        set_aside=tuple(set_aside),
    )


def find_cycles(tree: DependencyTree) -> tuple[tuple[str, ...], ...]:
    """Return the groups of packages that need each other, directly or through others."""
    return _knots(_graph(tree))


def _graph(tree: DependencyTree) -> Graph:
    import networkx as nx  # noqa: PLC0415 - slow to import

    graph: Graph = nx.DiGraph()
    graph.add_nodes_from(tree)
    graph.add_edges_from((package, to) for package in tree for to in tree.dependencies(package))
    return graph


def _knots(graph: nx.DiGraph[Any]) -> tuple[tuple[str, ...], ...]:
    import networkx as nx  # noqa: PLC0415 - slow to import

    components = nx.strongly_connected_components(graph)
    return tuple(sorted(tuple(sorted(members)) for members in components if len(members) > 1))


def _untie(graph: Graph, members: Iterable[str], tree: DependencyTree) -> list[SetAside]:
    """Take edges out of `graph` until `members` can be ordered; return them."""
    removed: list[SetAside] = []
    waiting = [tuple(members)]
    while waiting:
        group = set(waiting.pop())
        first = min(group, key=lambda package: _cost_of_going_first(tree, package, group))
        for needed in sorted(group.intersection(graph.successors(first))):
            graph.remove_edge(first, needed)
            removed.append(SetAside(first, needed))
        waiting += _knots(graph.subgraph(group))
    return removed


def _cost_of_going_first(
    tree: DependencyTree, package: str, group: set[str]
) -> tuple[int, int, str]:
    """Rate what is lost when `package` is built before the others of its cycle.

    What is needed to build weighs more than what is needed to run or to test.
    """
    lost = [why for needed, why in tree.dependencies(package).items() if needed in group]
    builds = sum(any(cause.need is Need.MAKEDEPENDS for cause in why) for why in lost)
    return builds, len(lost), package
