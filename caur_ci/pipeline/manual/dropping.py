"""Packages go: their folders, and with them what is published of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.pipeline.manual.operation import Edit, done_by
from caur_ci.pipeline.shared.commit_messages import drop_message

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from caur_ci.deptree import DependencyTree
    from caur_ci.pipeline.manual.operation import Branch

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class DropPackages:
    """Remove `packages`."""

    name = "drop"

    packages: tuple[str, ...]
    reason: str = ""

    def edit(self, branch: Branch) -> Edit:
        """Return the change. Raises InputError for packages that do not exist."""
        tree = branch.repository.deptree
        names = list(dict.fromkeys(map(tree.resolve, self.packages)))
        reason = done_by("dropped", branch.person, self.reason)
        return Edit(
            message=drop_message(dict.fromkeys(names, reason), branch.pipeline),
            folders=dict.fromkeys(names),
            reasons=dict.fromkeys(names, reason),
            notes=tuple(_left_without(tree, names)),
        )


def _left_without(tree: DependencyTree, names: Collection[str]) -> Iterator[str]:
    """Yield who needs packages that go."""
    for name in names:
        needing = sorted(set(tree.dependants(name)) - set(names))
        if needing:
            more = f" and {len(needing) - _SHOWN} more" if len(needing) > _SHOWN else ""
            yield f"{name} is needed by {', '.join(needing[:_SHOWN])}{more}"
