"""Where two systems differ in what they do."""

from __future__ import annotations

import pytest

from caur_ci.errors import InputError
from caur_ci.pipeline.on_schedule.plan import ScheduleAction, ScheduleDecision, SchedulePlan
from caur_ci.pipeline.shadow.effects import NOTHING, Deed, Effect, differences
from caur_ci.pipeline.shadow.ours import Journey, ShadowPlan, effects_of_schedule
from caur_ci.pipeline.shadow.theirs import HandedOver

D = Deed


def effect(*deeds: Deed, version: str = "", build_class: str = "") -> Effect:
    return Effect(
        deeds=frozenset(deeds), version=version, build_class=build_class, reason="because"
    )


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (effect(D.UPDATE, version="2-1"), effect(D.UPDATE, version="2-1"), ""),
        (effect(D.UPDATE, version="2-1"), effect(D.UPDATE), ""),
        (
            effect(D.UPDATE, version="2-1"),
            effect(D.UPDATE, version="3-1"),
            "update to 2-1 / update to 3-1",
        ),
        (effect(D.BUMP, version="2-1"), effect(D.BUMP, version="3-1"), ""),  # of the files only
        (effect(D.BUMP), NOTHING, "bump / nothing"),
        (NOTHING, effect(D.UPDATE, version="2-1"), "nothing / update to 2-1"),
        (effect(D.REVIEW), effect(D.UPDATE), "review / update"),
        (effect(D.UPDATE, D.BUILD), effect(D.UPDATE), "update build / update"),
        (effect(D.BUILD, build_class="9"), effect(D.BUILD), ""),
        (
            effect(D.BUILD, build_class="9"),
            effect(D.BUILD, build_class="2"),
            "build by 9 / build by 2",
        ),
        (effect(), effect(), ""),
    ],
)
def test_what_differs(ours: Effect, theirs: Effect, expected: str) -> None:
    found = differences({"a": ours}, {"a": theirs}, comparable=set(Deed))

    assert "".join(f"{it.ours} / {it.theirs}" for it in found.differences) == expected
    assert found.agreed == (not expected and bool(ours.deeds))


def test_what_is_not_known_of_both_is_not_compared() -> None:
    ours = {"a": effect(D.UPDATE, D.BUILD), "b": effect(D.BUILD)}

    found = differences(ours, {"a": effect(D.UPDATE)}, comparable={D.UPDATE})

    assert found.differences == ()
    assert found.agreed == 1


def test_each_side_says_why() -> None:
    (found,) = differences({"a": effect(D.BUMP)}, {}, comparable=set(Deed)).differences

    assert (found.our_reason, found.their_reason) == ("because", "nothing of it was seen")
    (found,) = differences({}, {"a": effect(D.BUMP)}, comparable=set(Deed)).differences
    assert (found.our_reason, found.their_reason) == ("nothing new was found", "because")


def test_decisions_are_told_in_common_words() -> None:
    def decision(package: str, action: ScheduleAction, **more: object) -> ScheduleDecision:
        return ScheduleDecision(package=package, action=action, reason="x", **more)  # type: ignore[arg-type]

    plan = SchedulePlan(
        head="c",
        decisions=(
            decision("a", ScheduleAction.UPDATE, after="2-1", builds=True, build_class="9"),
            decision("b", ScheduleAction.HELD, after="2-1"),
            decision("b", ScheduleAction.BUMP, after="1-1.1", builds=True),
            decision("c", ScheduleAction.FAILED),
            decision("d", ScheduleAction.UNCHANGED),
        ),
    )

    found = effects_of_schedule(plan)

    assert {name: str(it) for name, it in found.items()} == {
        "a": "update build to 2-1 by 9",
        "b": "bump review build",
        "c": "nothing",
    }
    assert found["c"].reason == "failed: x"


def test_a_plan_is_read_as_it_was_written() -> None:
    plan = ShadowPlan(
        journey=Journey.ON_SCHEDULE,
        head="c" * 40,
        tag="c" * 40,
        planned=17,
        reviews={"a": "d" * 40},
        effects={"a": effect(D.UPDATE, D.BUILD, version="1-1", build_class="9")},
        notes=("lags",),
    )

    assert ShadowPlan.from_json(plan.to_json(), origin="x") == plan


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"version": 2}', '{"version": 1}'])
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"^plan\.json "):
        ShadowPlan.from_json(text, origin="plan.json")


class TestHandedOver:
    """The document is read as bash would, without bash."""

    def test_builds_with_their_classes_and_what_is_kept(self) -> None:
        found = HandedOver.parse(
            'declare -x REDIS_PORT="6379"\n'
            'declare -a PARAMS_SCHEDULE=([0]="schedule" [1]="--target-repo=r" [2]="--commit" '
            '[3]="abc:1" [4]="a/9" [5]="b" [6]=c+d/0 [7]=\'e/cat\')\n'
            'declare -ax PARAMS_AUTOREPOREMOVE=([0]="auto-repo-remove" [1]="--target-repo=r" '
            '[2]="a" [3]="b\\"c")\n',
            origin="x",
        )

        assert found.builds == {"a": "9", "b": "", "c+d": "1", "e": "cat"}
        assert found.kept == frozenset({"a", 'b"c'})

    @pytest.mark.parametrize("text", ["", 'declare -x REDIS_PORT="1"\n'])
    def test_nothing_is_asked_for(self, text: str) -> None:
        assert HandedOver.parse(text, origin="x") == HandedOver()

    def test_something_else_is_refused(self) -> None:
        with pytest.raises(InputError, match="no hand-over document"):
            HandedOver.parse("<html>", origin="x")
