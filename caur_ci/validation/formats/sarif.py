"""A report as SARIF 2.1.0, which forges show beside the code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caur_ci.sarif import SarifResult, SarifRule, sarif_document
from caur_ci.validation.catalogue import RULES

if TYPE_CHECKING:
    from caur_ci.validation.model import Finding, Report


def as_sarif(report: Report) -> dict[str, Any]:
    """Return the findings as one run of a tool."""
    return sarif_document(
        {code: _rule(code) for code in report.codes}, map(_result, report.findings)
    )


def _rule(code: str) -> SarifRule:
    rule = RULES[code]
    # The levels are called as the severities are.
    return SarifRule(code, rule.severity.value, rule.sentence.replace("{what}", "…"), rule.remedy)


def _result(found: Finding) -> SarifResult:
    return SarifResult(
        found.code, found.severity.value, f"{found.message}. {found.remedy}", found.file, found.line
    )
