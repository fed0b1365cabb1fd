"""What people have to see is major, and says why."""

from __future__ import annotations

import pytest

from caur_ci.judge import File, Severity, Verdict
from caur_ci.judge.catalogue import RULES
from caur_ci.judge.judging import judge
from tests.caur_ci.judge.folders import Case
from tests.caur_ci.judge.harmless_cases import HARMLESS
from tests.caur_ci.judge.hostile_code import CODE
from tests.caur_ci.judge.hostile_files import FILES
from tests.caur_ci.judge.hostile_recipes import RECIPES

HOSTILE = [*RECIPES, *CODE, *FILES]


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: f"{case.code}: {case.title}")
def test_a_hostile_change_is_major_with_the_right_code(case: Case) -> None:
    old, new = case.folders()

    judgement = judge(old, new, package=case.package)
    assert judgement.verdict is Verdict.MAJOR
    assert case.code in {finding.code for finding in judgement.findings}, judgement.reasons


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: f"{case.code}: {case.title}")
def test_what_stood_there_before_is_no_finding(case: Case) -> None:
    _, old = case.folders()
    if "PKGBUILD" not in old or old["PKGBUILD"].link or case.code == "syntax-error":
        return
    comment = File(old["PKGBUILD"].content + b"# a remark\n", executable=old["PKGBUILD"].executable)

    codes = {finding.code for finding in judge(old, {**old, "PKGBUILD": comment}).findings}
    # The .SRCINFO is a claim about the whole, and what was not understood is not now.
    whole = {"srcinfo-differs", "srcinfo-unreadable"}
    assert codes <= whole | {"not-evaluated", "unreadable", "syntax-error"}


def test_there_are_cases_for_every_code() -> None:
    elsewhere = {"allowed", "judge-failed", "took-too-long", "pkgbuild-added"}
    missing = set(RULES) - elsewhere - {case.code for case in HOSTILE}
    for case in [*HARMLESS, *HOSTILE]:
        if not missing:
            break
        old, new = case.folders()
        missing -= {finding.code for finding in judge(old, new, package=case.package).findings}

    assert missing == set()
    assert {rule.severity for rule in RULES.values()} == set(Severity)


def test_there_are_as_many_cases_as_are_promised() -> None:
    assert len(HARMLESS) + len(HOSTILE) >= 200


def test_of_a_new_package_only_what_is_odd_in_itself_is_told() -> None:
    _, new = Case(title="all of it", edits=(("  make -C build\n", "  eval x\n"),)).folders()

    judgement = judge({}, new)
    assert judgement.verdict is Verdict.MAJOR
    assert {finding.code for finding in judgement.findings} == {"pkgbuild-added", "eval-used"}
