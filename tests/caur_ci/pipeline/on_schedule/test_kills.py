"""A run that is killed at any instant leaves a repository from which the next one goes on."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.caur_ci.pipeline.on_schedule.world import ScheduleWorld, reasons
from tests.support.git import Checkout, git
from tests.support.killing import killed_at, steps_of
from tests.support.sync_databases import database
from tests.support.upstream import files_of, upstream

if TYPE_CHECKING:
    from pathlib import Path

# How many instants are tried, spread over a whole run; with `CAUR_LONG=1`, more of them.
KILLS = 60 if os.environ.get("CAUR_LONG") else 6


class Stage:
    """A world from which every attempt starts anew."""

    def __init__(self, world: ScheduleWorld, folder: Path) -> None:
        self._world = world
        self._folder = folder
        self._began = folder / "began"
        shutil.copytree(world.remote, self._began, symlinks=True)

    def attempt(self, name: str) -> ScheduleWorld:
        """Return the world as it was, in folders of its own."""
        base = self._folder / name
        base.mkdir()
        shutil.copytree(self._began, base / "remote.git", symlinks=True)
        git(base, "clone", "--quiet", "--branch=main", str(base / "remote.git"), "checkout")
        return ScheduleWorld(Checkout(base / "checkout", base / "remote.git"), self._world.outside)


def state_of(world: ScheduleWorld) -> dict[str, object]:
    """Return all that a run leaves behind, but for times and random ids."""
    memory = world.memory()
    return {
        "main": git(world.remote, "rev-parse", "main^{tree}"),
        "subjects": world.subjects(3),
        "state": git(world.remote, "rev-parse", "state^{tree}"),
        "review": git(world.remote, "for-each-ref", "--format=%(tree)", "refs/heads/update-b"),
        "asked": sorted(name for names in world.asked() for name in names),
        "seen": memory.seen.to_bytes(),
        "libraries": memory.libraries,
        "tag": world.tag_is_at_tip(),
        "decided": sorted((e.package, e.decision, e.reason) for e in memory.ledger),
    }


@pytest.mark.timeout(600)
def test_a_second_run_ends_where_an_undisturbed_one_does(tmp_path: Path) -> None:
    libraries = tmp_path / "libraries.db"
    with upstream(tmp_path / "upstream") as outside:
        world = ScheduleWorld(Checkout.create(tmp_path / "world"), outside)
        world.begin(
            {"a": "1-1", "b": "1-1", "c": "1-1", "d": "1-1"},
            config=f"CI_HUMAN_REVIEW=true\nCI_LIB_DB={libraries.as_uri()}\n",
            **{
                "c__.CI__update.sh": "grep -q hook PKGBUILD || echo '# hook' >> PKGBUILD\n",
                "b__.CI__config": "CI_PKGBUILD_SOURCE=aur\nCI_REBUILD_TRIGGERS=icu\n",
                "d__.CI__config": "CI_PKGBUILD_SOURCE=aur\nCI_REBUILD_TRIGGERS=icu\n",
            },
        )
        libraries.write_bytes(database({"icu": "1-1"}))
        world.run()
        libraries.write_bytes(database({"icu": "2-1"}))
        outside.push({"a": "2-1", "b": "2-1"}, note="other")
        outside.mirror_push({"a": files_of("a", "2-1")})
        stage = Stage(world, tmp_path)
        undisturbed = stage.attempt("undisturbed")
        undisturbed.run()
        wanted = state_of(undisturbed)
        assert wanted["asked"] == ["a", "b", "c", "d"]
        steps = steps_of(stage.attempt("counted").run)
        assert steps > KILLS
        killed = 0
        for number in sorted({round(1 + n * (steps - 1) / (KILLS - 1)) for n in range(KILLS)}):
            attempt = stage.attempt(f"kill-{number}")
            killed += killed_at(number, attempt.run)
            decided = reasons(attempt.run())
            assert state_of(attempt) == wanted, f"killed before step {number} of {steps}: {decided}"
            shutil.rmtree(attempt.remote.parent)
        # Threads do not take as many steps each time: the last one may not be there.
        assert killed >= KILLS - 1
