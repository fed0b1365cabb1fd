"""In which order broken packages are rebuilt, and what that costs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.deptree import build_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from caur_ci.deptree import DependencyTree


@dataclass(frozen=True, slots=True, kw_only=True)
class PastBuild:
    """A build that succeeded: for how many seconds a worker had it, and in which class."""

    seconds: float
    build_class: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildPlan:
    """The packages in layers: each needs only packages of the layers before it.

    `cycles` are packages that need each other. `seconds` is by build class, of those packages whose
    builds are remembered; `unknown` are the others.
    """

    layers: tuple[tuple[str, ...], ...]
    cycles: tuple[tuple[str, ...], ...]
    seconds: Mapping[str, float]
    unknown: tuple[str, ...]

    @property
    def packages(self) -> tuple[str, ...]:
        """All packages in the order in which they are built."""
        return tuple(name for layer in self.layers for name in layer)


def plan_rebuild(
    packages: AbstractSet[str],
    tree: DependencyTree,
    builds: Mapping[str, Iterable[PastBuild]],
    classes: Mapping[str, str],
) -> RebuildPlan:
    """Return how to rebuild these packages, with `builds` that are remembered of each.

    `classes` are the build classes that packages ask for now; where none is told, it is that of
    the latest build, the last one of `builds`.
    """
    # Also with the packages in between, that are not rebuilt: orders go through them.
    order = build_order(tree.subset(packages))
    layers = (tuple(name for name in layer if name in packages) for layer in order.layers)
    seconds: defaultdict[str, float] = defaultdict(float)
    unknown: list[str] = []
    for name in sorted(packages):
        past = list(builds.get(name, ()))
        if not past:
            unknown.append(name)
            continue
        # The middle one: a build that was slow once is not so the next time.
        middle = sorted(build.seconds for build in past)[len(past) // 2]
        seconds[classes.get(name) or past[-1].build_class] += middle
    return RebuildPlan(
        layers=tuple(layer for layer in layers if layer),
        cycles=tuple(cycle for cycle in order.cycles if not packages.isdisjoint(cycle)),
        seconds=dict(sorted(seconds.items())),
        unknown=tuple(unknown),
    )
