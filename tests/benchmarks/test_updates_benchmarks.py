"""The benchmark of updates measures runs that overlook nothing, with the judge and without."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from benchmarks import known_judge, updates
from benchmarks.measure import BenchmarkError
from benchmarks.recipes import CHANGES, Change, Recipe
from benchmarks.updates import Sizes, updates_rows
from caur_ci.judge import Judgement, PackageContext, Verdict
from caur_ci.judge.judging import judge
from caur_ci.pipeline.on_schedule import planning
from caur_ci.update.changes import judge_change

if TYPE_CHECKING:
    from pathlib import Path

FOR_PEOPLE = set(CHANGES[10:])


@pytest.mark.parametrize(("number", "change"), tuple(enumerate(Change)))
def test_the_judge_takes_changes_for_what_they_are(number: int, change: Change) -> None:
    recipe = Recipe(number)
    old = {path: text.encode() for path, text in recipe.files().items()}
    recipe.change(change)
    new = {path: text.encode() for path, text in recipe.files().items()}

    changed = {path for path in old if old[path] != new[path]}
    judgement = judge(old, new, package=PackageContext(name=recipe.name))

    assert judgement.verdict is (Verdict.MAJOR if change in FOR_PEOPLE else Verdict.MINOR)
    assert (changed == {f"{recipe.name}.install"}) is (change is Change.SCRIPT)


def test_both_runs_see_all_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updates, "CHANGES", (Change.VERSION, Change.SCRIPT))
    real, plans = updates._Bench.check, []

    def check(bench: updates._Bench, plan: Path) -> str:
        """Check the plan, and that one which is not right would be noticed."""
        text = plan.read_text()
        plans.append(text)
        for action, complaint in (("update", "overlooked: sample0$"), ("review", "what was pub")):
            other = "unchanged" if action == "update" else "update"
            plan.write_text(text.replace(f'"action": "{action}"', f'"action": "{other}"'))
            with pytest.raises(BenchmarkError, match=complaint):
                real(bench, plan)
        plan.write_text(text)
        return real(bench, plan)

    monkeypatch.setattr(updates._Bench, "check", check)

    first, *others, rate = updates_rows(1, Sizes(packages=4, changed=2))

    assert first.what == "on-schedule, 4 packages, 2 changed: 1 updated, 1 put to review"
    assert float(first.ratio) > 0
    assert [row.what for row in others][1] == "the same without judging"
    assert rate.what.startswith("changes judged")
    judgements = [
        [decision["judgement"] for decision in json.loads(plan)["decisions"]] for plan in plans
    ]
    assert judgements == [judgements[0]] * 3


def test_who_knows_the_answers_does_not_judge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Judgement(Verdict.MAJOR)
    answers = tmp_path / "answers.json"
    decisions = [
        {"package": "tool", "judgement": known.to_dict()},
        {"package": "unchanged", "judgement": {}},
    ]
    answers.write_text(json.dumps({"decisions": decisions}))
    command_line = ["known_judge", str(answers), "--", "on-schedule", "--json"]
    monkeypatch.setattr("sys.argv", command_line)
    found: list[object] = []

    def run() -> None:
        found.append(sys.argv[1:])
        answer = vars(planning)["judge_change"]
        found.append(answer(None, "old", "new", judge=None, package=PackageContext(name="tool")))

    monkeypatch.setattr(known_judge, "caur_ci", run)
    known_judge.main()

    assert found == [["on-schedule", "--json"], known]
    assert vars(planning)["judge_change"] is judge_change
