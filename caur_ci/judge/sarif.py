"""A judgement as SARIF 2.1.0, which forges show beside the code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caur_ci.judge.catalogue import RULES
from caur_ci.judge.model import Severity
from caur_ci.sarif import SarifResult, SarifRule, sarif_document

if TYPE_CHECKING:
    from caur_ci.judge.model import Finding, Judgement

_LEVELS = {Severity.NOTE: "note", Severity.WARNING: "warning", Severity.DANGER: "error"}


def as_sarif(judgement: Judgement, *, folder: str = "") -> dict[str, Any]:
    """Return the findings as one run of a tool; files are named below `folder`."""
    return sarif_document(
        {code: _rule(code) for code in {finding.code for finding in judgement.findings}},
        (_result(finding, folder) for finding in judgement.findings),
        properties={"verdict": judgement.verdict.value},
    )


def _rule(code: str) -> SarifRule:
    rule = RULES[code]
    summary = rule.sentence.format(what="…")
    return SarifRule(code, _LEVELS[rule.severity], summary, f"For example: {rule.example}")


def _result(finding: Finding, folder: str) -> SarifResult:
    path = f"{folder}/{finding.file}" if folder else finding.file
    properties = {"old": finding.old, "new": finding.new}
    level = _LEVELS[finding.severity]
    return SarifResult(finding.code, level, finding.message, path, finding.line, properties)
