"""Runs of on-schedule in a repository that has a trust policy, and in one that has none."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import ConfigError
from caur_ci.pipeline.on_schedule.plan import ScheduleAction
from tests.caur_ci.pipeline.on_schedule.world import ScheduleWorld, actions, reasons
from tests.support.git import Checkout
from tests.support.upstream import upstream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ScheduleWorld]:
    with upstream(tmp_path / "upstream") as outside:
        yield ScheduleWorld(Checkout.create(tmp_path / "world"), outside)


def moves_to(world: ScheduleWorld, name: str, version: str, maintainer: str) -> None:
    """Let somebody push a version of a package as its maintainer."""
    world.outside.push({name: version})
    world.outside.aur.records[name]["Maintainer"] = maintainer


def test_a_new_maintainer_is_reviewed_until_known(world: ScheduleWorld) -> None:
    world.begin(
        {"a": "1-1", "b": "1-1"},
        config="CI_HUMAN_REVIEW=true\n",
        **{".ci__policy.toml": "[packages.b]\ntrusted = ['mallory']\n"},
    )
    world.run()
    moves_to(world, "a", "2-1", "mallory")
    moves_to(world, "b", "2-1", "mallory")

    result = world.run()

    assert actions(result) == {"a": ScheduleAction.HELD, "b": ScheduleAction.UPDATE}
    assert "mallory, first seen just now, in place of somebody" in reasons(result)["a"]
    assert [it.account for it in world.memory().adoptions.of("a")] == ["mallory"]
    assert "taken over because its maintainers are trusted" in reasons(result)["b"]
    assert world.subjects() == ["chore(update): b"]
    assert world.tip("update-a")


def test_an_account_that_takes_over_many_packages_raises_an_alarm(world: ScheduleWorld) -> None:
    world.begin(
        {"a": "1-1", "b": "1-1", "c": "1-1"}, **{".ci__policy.toml": "[adoptions]\nmany = 2\n"}
    )
    world.run()
    for name in ("a", "b"):
        world.outside.aur.records[name]["Maintainer"] = "mallory"

    adopted = world.run()
    world.outside.push({"c": "2-1"})
    moves_to(world, "a", "2-1", "mallory")
    pushed = world.run()

    assert adopted.problems == ("alarm: mallory took over 2 packages lately: a, b",)
    assert pushed.plan.decisions[0].action is ScheduleAction.ALARM
    assert actions(pushed) == {"a": ScheduleAction.ALARM, "c": ScheduleAction.UPDATE}
    assert pushed.problems[0].startswith("alarm: a: AUR: mallory took over 2 of the packages here")
    assert world.asked() == [("c",)]
    assert world.memory().ledger.about("a")[0].decision == "alarm"


def test_a_package_that_is_gone_is_put_on_hold_once(world: ScheduleWorld) -> None:
    world.begin({"a": "1-1", "b": "1-1"})
    world.run()
    del world.outside.aur.records["a"]
    world.outside.mirror_remove("a")

    first, second = world.run(), world.run()

    assert actions(first) == {"a": ScheduleAction.GONE}
    told = "alarm: a: the AUR has no such package any more. It is put on hold"
    assert first.plan.notes[0].startswith(told)
    assert (first.problems, second.problems, second.plan.notes) == ((), (), ())
    hold = world.memory().holds.get("a")
    assert hold is not None
    assert (hold.by, hold.automatic) == ("caur-ci", True)


def test_a_policy_may_say_that_it_is_only_told(world: ScheduleWorld) -> None:
    world.begin({"a": "1-1"}, **{".ci__policy.toml": "[packages.a.codes]\naur-gone = 'apply'\n"})
    world.run()
    del world.outside.aur.records["a"]
    world.outside.mirror_remove("a")

    result = world.run()

    assert actions(result) == {"a": ScheduleAction.GONE}
    assert result.plan.notes == ()
    assert world.memory().holds.get("a") is None


def test_a_version_that_cools_down_is_taken_over_later(world: ScheduleWorld) -> None:
    world.begin({"a": "1-1"}, **{".ci__policy.toml": "[age]\ncool-down = '2 hours'\n"})
    world.run()
    world.outside.now = int(time.time()) - 3600
    world.outside.push({"a": "2-1"})

    assert actions(world.run()) == {"a": ScheduleAction.WAITING}

    world.outside.aur.records["a"]["LastModified"] -= 2 * 3600
    assert actions(world.run()) == {"a": ScheduleAction.UPDATE}


def test_what_is_held_by_the_policy_follows_the_policy(world: ScheduleWorld) -> None:
    policy = ".ci/policy.toml"
    world.begin({"a": "1-1"}, **{policy.replace("/", "__"): "[severities]\nnote = 'hold'\n"})
    world.run()
    world.outside.push({"a": "2-1"})

    held = world.run()
    assert actions(held) == {"a": ScheduleAction.HELD}
    assert reasons(held)["a"].startswith("held by the policy: PKGBUILD:")

    world.commit("ci: trust", {policy: ""})
    assert actions(world.run()) == {"a": ScheduleAction.UPDATE}


def test_a_policy_that_makes_no_sense_stops_the_run(world: ScheduleWorld) -> None:
    world.begin({"a": "1-1"}, **{".ci__policy.toml": "[sevrities]\n"})
    before = world.tip()

    with pytest.raises(ConfigError, match="sevrities"):
        world.run()

    assert world.tip() == before
