"""SARIF 2.1.0, the form in which forges take what was found in files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from caur_ci import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(frozen=True, slots=True)
class SarifRule:
    """A kind of result: `level` is none, note, warning or error."""

    code: str
    level: str
    summary: str
    help: str


@dataclass(frozen=True, slots=True)
class SarifResult:
    """Something that was found. `line` counts from 1; 0 stands for the whole file."""

    code: str
    level: str
    message: str
    path: str
    line: int = 0
    properties: Mapping[str, Any] = field(default_factory=dict)


def sarif_document(
    rules: Mapping[str, SarifRule],
    results: Iterable[SarifResult],
    *,
    properties: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return one run of this program. Of the `rules`, by code, those that are needed are told."""
    results = list(results)
    codes = sorted({result.code for result in results})
    places = {code: place for place, code in enumerate(codes)}
    driver = {
        "name": "caur-ci",
        "version": __version__,
        "rules": [_rule(rules[code]) for code in codes],
    }
    run: dict[str, Any] = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(result, places[result.code]) for result in results],
    }
    if properties:
        run["properties"] = dict(properties)
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: SarifRule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.summary},
        "help": {"text": rule.help},
        "defaultConfiguration": {"level": rule.level},
    }


def _result(result: SarifResult, rule: int) -> dict[str, Any]:
    uri = quote(result.path.encode("utf-8", "surrogateescape"))
    place: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    if result.line:
        place["region"] = {"startLine": result.line}
    written = {
        "ruleId": result.code,
        "ruleIndex": rule,
        "level": result.level,
        "message": {"text": result.message},
        "locations": [{"physicalLocation": place}],
    }
    return {**written, "properties": dict(result.properties)} if result.properties else written
