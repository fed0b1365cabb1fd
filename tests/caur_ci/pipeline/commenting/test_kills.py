"""Runs that are killed in the middle of what comments ask for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.caur_ci.pipeline.commenting.world import Commented, commented
from tests.support.killing import killed_at, steps_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.git import Checkout

# At how many instants a run is killed; with `CAUR_LONG=1`, at more of them.
KILLS = 40 if os.environ.get("CAUR_LONG") else 2


@pytest.mark.timeout(300)
def test_a_run_that_is_killed_does_nothing_twice_and_loses_nothing(
    template: Checkout, tmp_path: Path
) -> None:
    """Killed at instants all over the run; the next one ends where an undisturbed one does."""

    def begin(name: str) -> Checkout:
        return template.copy(tmp_path / name)

    def order(world: Commented) -> None:
        world.says("/caur bump lib\n/caur retry app")
        world.says("/caur hold mine", number=2)

    with commented("gitlab", begin("whole")) as world:
        order(world)
        steps = steps_of(world.run)
        wanted = outcome_of(world)
    for number in range(1, KILLS + 1):
        with commented("gitlab", begin(f"killed{number}")) as world:
            order(world)
            killed_at(max(1, steps * number // KILLS), world.run)
            world.run()
            assert outcome_of(world) == wanted
            assert 1 <= len(world.forge.answers(1)) <= 2
            assert 1 <= len(world.forge.answers(2)) <= 2


def outcome_of(world: Commented) -> dict[str, object]:
    """Return what runs leave behind, but for times and ids."""
    memory = world.memory()
    return {
        "config": world.remote("show", "main:lib/.CI/config"),
        "commits": world.remote("rev-list", "--count", "main"),
        "asked": world.asked(),
        "held": sorted(memory.holds.packages),
        "decided": sorted((it.package, it.decision, it.run) for it in memory.ledger),
        "done": dict(memory.comments.done),
        "waiting": memory.comments.answers,
    }
