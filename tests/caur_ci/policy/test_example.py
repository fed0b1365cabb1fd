"""The policy that the documentation has to begin with."""

from __future__ import annotations

from pathlib import Path

from caur_ci.judge.judging import judge
from caur_ci.judge.model import Severity
from caur_ci.policy import Action, decide, policy_in
from caur_ci.policy.rules import EVERY_RULE
from tests.caur_ci.judge.test_hostile import HOSTILE

EXAMPLE = Path(__file__).parents[3] / "docs" / "policy.example.toml"


def test_it_applies_no_danger_and_lets_through_what_is_said() -> None:
    policy = policy_in(EXAMPLE)
    assert set(policy.codes.values()) == {Action.APPLY}
    assert Severity.DANGER not in {EVERY_RULE[code].severity for code in policy.codes}

    let_through = []
    for case in HOSTILE:
        if case.code in policy.codes:
            judgement = judge(*case.folders(), package=case.package)
            decided = decide(policy, "any", judgement, wants_reviews=True, now=0)
            if decided.action is Action.APPLY:
                assert not judgement.has_danger
                let_through.append(case)

    trust = EXAMPLE.with_name("trust.md").read_text(encoding="utf-8")
    assert f"hostile changes, more than 400, it lets {len(let_through)} through" in trust
