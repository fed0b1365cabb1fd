"""A judgement as SARIF 2.1.0, which forges show beside the code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caur_ci.judge.catalogue import RULES
from caur_ci.judge.model import Severity, Verdict
from caur_ci.sarif import SarifResult, SarifRule, sarif_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caur_ci.judge.model import Finding, Judgement

_LEVELS = {Severity.NOTE: "note", Severity.WARNING: "warning", Severity.DANGER: "error"}


def as_sarif(judgement: Judgement, *, folder: str = "") -> dict[str, Any]:
    """Return the findings as one run of a tool; files are named below `folder`."""
    return as_sarif_of([(folder, judgement)])


def as_sarif_of(judged: Sequence[tuple[str, Judgement]]) -> dict[str, Any]:
    """Return the findings of several packages, each with its folder, as one run of a tool."""
    found = [(folder, finding) for folder, it in judged for finding in it.findings]
    verdicts = {judgement.verdict for _, judgement in judged}
    verdict = max(verdicts, key=list(Verdict).index, default=Verdict.IDENTICAL)
    return sarif_document(
        {code: _rule(code) for code in {finding.code for _, finding in found}},
        (_result(finding, folder) for folder, finding in found),
        properties={"verdict": verdict.value},
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
