"""Runs of on-schedule where packages are on hold."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from caur_ci.pipeline.holding import Keeper
from caur_ci.pipeline.on_schedule.plan import ScheduleAction
from caur_ci.pipeline.shared.context import RunContext
from caur_ci.pipeline.shared.options import RunOptions
from tests.caur_ci.pipeline.on_schedule.world import ScheduleWorld, actions, reasons
from tests.support.git import Checkout, git
from tests.support.upstream import upstream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ScheduleWorld]:
    with upstream(tmp_path / "upstream") as outside:
        yield ScheduleWorld(Checkout.create(tmp_path / "world"), outside)


def keeper(world: ScheduleWorld) -> Keeper:
    return Keeper.of(RunContext.open(RunOptions(repo=world.checkout.folder)), time.time())


def test_an_update_waits_until_the_package_is_let_go(world: ScheduleWorld) -> None:
    world.begin({"a": "1-1", "b": "1-1"})
    world.run()
    world.outside.push({"a": "2-1", "b": "2-1"})
    keeper(world).hold(["a"], "odd")

    dry = world.run(dry_run=True)
    result = world.run()

    assert actions(dry) == actions(result) == {"a": ScheduleAction.HELD, "b": ScheduleAction.UPDATE}
    assert reasons(result)["a"].startswith("on hold by Tester since 20")
    assert reasons(result)["a"].endswith(": odd")
    assert world.asked() == [("b",)]
    assert world.subjects() == ["chore(update): b"]
    assert world.memory().ledger.about("a")[0].decision == "held"

    keeper(world).unhold(["a"])
    assert actions(world.run()) == {"a": ScheduleAction.UPDATE}
    assert world.asked() == [("b",), ("a",)]


def test_a_hold_that_comes_while_it_runs_counts(world: ScheduleWorld) -> None:
    world.begin({"a": "1-1"})
    world.run()
    before = world.tip("caur")
    keeper(world).hold(["a"], "odd")
    held = world.tip("caur")
    git(world.remote, "update-ref", "refs/heads/caur", before)
    world.checkout.overtake("refs/heads/caur", held)
    world.outside.push({"a": "2-1"})

    result = world.run()

    assert world.checkout.was_overtaken
    assert actions(result) == {"a": ScheduleAction.HELD}
    assert world.asked() == []
    assert world.memory().holds.packages.keys() == {"a"}


def test_what_others_pushed_meanwhile_is_left_out_and_built_afterwards(
    world: ScheduleWorld,
) -> None:
    world.begin({"a": "1-1", "b": "1-1"})
    world.run()
    keeper(world).hold(["a"], "odd")
    world.checkout.commit("fix(a): more", {"a/own.patch": "x\n"})
    world.checkout.push()
    world.outside.push({"b": "2-1"})

    result = world.run(force=True)

    assert world.asked() == [("b",)]
    assert world.memory().holds.packages["a"].left_out == "changed"
    assert any("a was pushed meanwhile and is left out" in note for note in result.plan.notes)

    keeper(world).unhold(["a"])
    assert reasons(world.run()) == {"a": "left out while it was on hold: changed"}
    assert world.asked() == [("b",), ("a",)]
    assert actions(world.run()) == {}


def test_a_trigger_builds_it_afterwards_as_well(world: ScheduleWorld) -> None:
    config = "CI_ON_TRIGGER=daily\n"
    world.begin({"a": "1-1"}, t__PKGBUILD="x\n", **{"t__.CI__config": config})
    keeper(world).hold(["t"], "odd")

    result = world.trigger("daily")

    assert actions(result) == {"t": ScheduleAction.HELD}
    assert world.asked() == []
    keeper(world).unhold(["t"])
    assert reasons(world.run())["t"] == "left out while it was on hold: trigger daily"
    assert world.asked() == [("t",)]
