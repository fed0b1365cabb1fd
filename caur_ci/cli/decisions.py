"""Shows what is to happen to packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.cli.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caur_ci.cli.tables import Rows
    from caur_ci.pipeline.shared.decision import PackageDecision


def decision_table(decisions: Iterable[PackageDecision]) -> Rows:
    """Return a line for each decision."""
    rows = table("", None, "package", "what", "class", "why")
    for decision in decisions:
        cells = (decision.package, decision.action, decision.build_class, decision.reason)
        rows.add(*(cell or "-" for cell in cells))
    return rows
