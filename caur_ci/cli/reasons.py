"""Why a package is as it is: sentences, each with those that explain it further."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One thing that is known. `source` tells who knows it; `because` goes deeper."""

    source: str
    text: str
    because: tuple[Reason, ...] = ()


def outline(title: str, findings: Iterable[Reason]) -> Tree:
    """Return the findings for a terminal, those that explain others below them."""
    from rich.text import Text  # noqa: PLC0415 - slow to import
    from rich.tree import Tree  # noqa: PLC0415

    tree = Tree(Text(title, style="bold"))
    for reason in findings:
        _grow(tree, reason)
    return tree


def _grow(tree: Tree, reason: Reason) -> None:
    from rich.text import Text  # noqa: PLC0415 - slow to import

    # Our consoles leave long lines to the terminal, which would break the lines of the tree.
    branch = tree.add(Text(reason.text, no_wrap=False, overflow="fold"))
    for deeper in reason.because:
        _grow(branch, deeper)
