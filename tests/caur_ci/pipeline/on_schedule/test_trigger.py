"""The plan of a run with a trigger."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.pipeline.on_schedule.followed_repository import read_repository
from caur_ci.pipeline.on_schedule.trigger import plan_triggered
from caur_ci.pipeline.shared.memory.holds import Holds
from tests.support.upstream import files_of

if TYPE_CHECKING:
    from caur_ci.pipeline.on_schedule.plan import SchedulePlan
    from tests.support.objects import ObjectStore

DAILY = "CI_ON_TRIGGER=daily\n"


def planned(store: ObjectStore, trigger: str, config: str = "", **configs: str) -> SchedulePlan:
    """Return the plan for packages with these `.CI/config` files."""
    packages = {
        f"{name}/{path}": text
        for name, own in configs.items()
        for path, text in {**files_of(name, "1-1"), ".CI/config": own}.items()
    }
    commit = store.commit({".ci/config": f"REPO_NAME=target\n{config}", **packages})
    return plan_triggered(read_repository(store.git, commit), trigger, Holds())


def test_those_that_wait_for_it_are_built(store: ObjectStore) -> None:
    plan = planned(store, "daily", a=DAILY, b="CI_ON_TRIGGER=weekly\n", c="", d=DAILY)

    assert plan.trigger == "daily"
    assert [(one.package, one.action.value, one.reason, one.before) for one in plan.decisions] == [
        ("a", "build", "trigger daily", "1-1"),
        ("d", "build", "trigger daily", "1-1"),
    ]
    assert [decision.package for decision in plan.builds()] == ["a", "d"]
    assert (plan.notes, plan.warnings) == ((), ())


@pytest.mark.parametrize("trigger", ["monthly", "dail", "Daily", "x"])
def test_where_nobody_waits_that_is_told(store: ObjectStore, trigger: str) -> None:
    plan = planned(store, trigger, a=DAILY, b="")

    assert plan.decisions == ()
    assert plan.notes == (f"no package has CI_ON_TRIGGER={trigger}",)


def test_one_that_might_wait_for_it_has_failed(store: ObjectStore) -> None:
    plan = planned(store, "daily", a=DAILY, b="CI_ON_TRIGGER=daily\nCI_FORCE_VCS=perhaps\n")

    told = {one.package: (one.action.value, one.builds) for one in plan.decisions}
    assert told == {"a": ("build", True), "b": ("failed", False)}
    assert "CI_FORCE_VCS" in plan.failed[0].reason


def test_a_broken_one_is_not_somebody_who_waits(store: ObjectStore) -> None:
    plan = planned(store, "daily", b="CI_FORCE_VCS=perhaps\n")

    assert plan.notes == ("no package has CI_ON_TRIGGER=daily",)


def test_the_build_class_is_the_packages_own_or_that_of_all(store: ObjectStore) -> None:
    own = f"{DAILY}BUILDER_CLASS=big\n"

    plan = planned(store, "daily", "CI_DEFAULT_CLASS=4\n", a=DAILY, b=own)

    assert {one.package: one.build_class for one in plan.decisions} == {"a": "4", "b": "big"}


def test_odd_things_are_told(store: ObjectStore) -> None:
    (warning,) = planned(store, "daily", a=f"{DAILY}MOOD=good\n").warnings

    assert warning.startswith("a/.CI/config:2: MOOD")
