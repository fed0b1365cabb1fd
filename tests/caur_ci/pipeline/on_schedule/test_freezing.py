"""What a hold makes of decisions about packages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from caur_ci.pipeline.on_schedule.freezing import apply_holds, released_builds
from caur_ci.pipeline.on_schedule.plan import ScheduleAction
from caur_ci.pipeline.on_schedule.watermark import watermark_after
from caur_ci.pipeline.shared.memory.holds import Hold, Holds
from caur_ci.update.source import FollowedPackage, LastSeen
from tests.caur_ci.pipeline.on_schedule.planned import AUR, planned_for

HOLD = Hold(by="bob", since=0, reason="odd")
TOLD = "on hold by bob since 1970-01-01 00:00 UTC: odd"
HELD = Holds(packages={"a": HOLD})
RELEASED = Holds(released={"a": "changed"})
PACKAGE = FollowedPackage(name="a", config=AUR, tree="1", seen=LastSeen(modified=7))
A = ScheduleAction


@pytest.mark.parametrize("action", [A.UPDATE, A.BUILD, A.REVIEW, A.HELD])
def test_what_is_new_is_left_where_it_is_and_seen_again(action: ScheduleAction) -> None:
    one = planned_for(PACKAGE, action, tree="2", modified=9, state={"CI_GIT_COMMIT": "x"})

    (done,) = apply_holds([replace(one, merges="3")], HELD)

    assert (done.decision.action, done.decision.reason) == (A.HELD, TOLD)
    assert not done.decision.builds
    assert (done.tree, done.merges, done.seen, done.state) == ("", "", None, {})
    assert watermark_after([done], 5) == 0


def test_where_nothing_is_new_the_existing_system_misses_nothing() -> None:
    (done,) = apply_holds([planned_for(PACKAGE, A.UNCHANGED)], HELD)

    assert (done.decision.action, done.decision.reason) == (A.HELD, TOLD)
    assert watermark_after([done], 5) == 7


@pytest.mark.parametrize("action", [A.WAITING, A.FAILED, A.GONE])
def test_what_else_happened_is_told_as_well(action: ScheduleAction) -> None:
    (done,) = apply_holds([planned_for(PACKAGE, action)], HELD)

    assert (done.decision.action, done.decision.account) == (action, f"something; {TOLD}")


def test_others_are_left_alone() -> None:
    one = planned_for(replace(PACKAGE, name="b"), A.UPDATE, tree="2")

    assert apply_holds([one], HELD) == apply_holds([one], RELEASED) == (one,)


def test_what_was_left_out_is_built_where_nothing_is_new() -> None:
    done = apply_holds([planned_for(PACKAGE, A.UNCHANGED)], RELEASED)

    (decision,) = (one.decision for one in done)
    assert (decision.action, decision.builds) == (A.BUILD, True)
    assert decision.reason == "left out while it was on hold: changed"
    assert released_builds(done, RELEASED) == []


@pytest.mark.parametrize("action", [A.REVIEW, A.WAITING, A.FAILED])
def test_or_as_it_is_where_what_is_new_is_not_built(action: ScheduleAction) -> None:
    done = apply_holds([planned_for(PACKAGE, action, tree="2")], RELEASED)

    assert "built as it is, left out while" in done[0].decision.account
    (build,) = released_builds(done, RELEASED)
    assert (build.package, build.reason) == ("a", "left out while it was on hold: changed")


def test_what_is_new_takes_its_place() -> None:
    done = apply_holds([planned_for(PACKAGE, A.UPDATE, tree="2")], RELEASED)

    assert released_builds(done, RELEASED) == []
    assert done[0].decision.reason == "something"
