"""A judgement as SARIF 2.1.0, which forges show beside the code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from caur_ci import __version__
from caur_ci.judge.catalogue import RULES
from caur_ci.judge.model import Severity

if TYPE_CHECKING:
    from caur_ci.judge.model import Finding, Judgement

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.NOTE: "note", Severity.WARNING: "warning", Severity.DANGER: "error"}


def as_sarif(judgement: Judgement, *, folder: str = "") -> dict[str, Any]:
    """Return the findings as one run of a tool; files are named below `folder`."""
    codes = sorted({finding.code for finding in judgement.findings})
    places = {code: place for place, code in enumerate(codes)}
    driver = {
        "name": "caur-ci",
        "version": __version__,
        "rules": [_rule(code) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(it, places[it.code], folder) for it in judgement.findings],
        "properties": {"verdict": judgement.verdict.value},
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> dict[str, Any]:
    rule = RULES[code]
    return {
        "id": code,
        "shortDescription": {"text": rule.sentence.format(what="…")},
        "help": {"text": f"For example: {rule.example}"},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(finding: Finding, rule: int, folder: str) -> dict[str, Any]:
    path = f"{folder}/{finding.file}" if folder else finding.file
    uri = quote(path.encode("utf-8", "surrogateescape"))
    place: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    if finding.line:
        place["region"] = {"startLine": finding.line}
    return {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": place}],
        "properties": {"old": finding.old, "new": finding.new},
    }
