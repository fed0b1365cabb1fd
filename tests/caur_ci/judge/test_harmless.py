"""What is known to be harmless goes through."""

from __future__ import annotations

import pytest

from caur_ci.judge import Verdict
from caur_ci.judge.judging import judge
from tests.caur_ci.judge.folders import Case
from tests.caur_ci.judge.harmless_cases import HARMLESS, LAYOUT


@pytest.mark.parametrize("case", HARMLESS, ids=lambda case: case.title)
def test_a_harmless_change_is_not_major(case: Case) -> None:
    old, new = case.folders()

    judgement = judge(old, new, package=case.package)
    assert judgement.verdict is not Verdict.MAJOR, judgement.reasons


@pytest.mark.parametrize("case", LAYOUT, ids=lambda case: case.title)
def test_layout_means_nothing(case: Case) -> None:
    old, new = case.folders()

    assert judge(old, new, package=case.package).verdict is Verdict.IDENTICAL


def test_a_new_version_is_minor_and_says_which() -> None:
    old, new = Case(title="a new version").folders()

    judgement = judge(old, new)
    assert judgement.verdict is Verdict.MINOR
    assert [finding.code for finding in judgement.findings] == [
        "version-raised",
        "source-follows",
        "source-follows",
        "sums-follow",
    ]
    raised = judgement.findings[0]
    assert (raised.file, raised.line, raised.old, raised.new) == (
        "PKGBUILD",
        6,
        "1.2.0-1",
        "1.3.0-1",
    )
