"""The findings in the form that forges show beside the code."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from caur_ci.judge import Judgement
from caur_ci.judge.judging import judge
from caur_ci.judge.sarif import as_sarif
from tests.caur_ci.judge.folders import Case
from tests.caur_ci.judge.hostile_files import CHANGED
from tests.caur_ci.judge.hostile_recipes import NAMES


def closed(required: str = "", **properties: object) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


# What SARIF 2.1.0 says of the parts that are used here, and nothing beside them is allowed.
TEXT = {"type": "string", "minLength": 1}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
MESSAGE = closed("text", text=TEXT)
RULE = closed(
    "id",
    id=TEXT,
    shortDescription=MESSAGE,
    help=MESSAGE,
    defaultConfiguration=closed(level=LEVEL),
)
PLACE = closed(
    "artifactLocation",
    artifactLocation=closed("uri", uri={"type": "string", "pattern": r"^[\x21-\x7e]+$"}),
    region=closed("startLine", startLine={"type": "integer", "minimum": 1}),
)
RESULT = closed(
    "message ruleId ruleIndex",
    ruleId=TEXT,
    ruleIndex={"type": "integer", "minimum": 0},
    level=LEVEL,
    message=MESSAGE,
    locations={"type": "array", "items": closed("physicalLocation", physicalLocation=PLACE)},
    properties={"type": "object"},
)
DRIVER = closed(
    "name",
    name=TEXT,
    version=TEXT,
    rules={"type": "array", "items": RULE, "uniqueItems": True},
)
RUN = closed(
    "tool",
    tool=closed("driver", driver=DRIVER),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    results={"type": "array", "items": RESULT},
    properties={"type": "object"},
)
SARIF = closed(
    "version runs",
    version={"const": "2.1.0"},
    runs={"type": "array", "items": RUN},
    **{"$schema": {"type": "string"}},
)


@pytest.mark.parametrize(
    "case", [Case(title="harmless"), *NAMES[:5], *CHANGED], ids=lambda it: it.title
)
def test_it_is_as_the_standard_says(case: Case) -> None:
    judgement = judge(*case.folders(), package=case.package)
    document = json.loads(json.dumps(as_sarif(judgement, folder="a folder")))

    Draft202012Validator(SARIF).validate(document)
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len(run["results"]) == len(judgement.findings)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"].startswith("a%20folder/")


def test_a_danger_is_an_error() -> None:
    (result,) = as_sarif(judge({"PKGBUILD": b""}, {}))["runs"][0]["results"]

    assert (result["ruleId"], result["level"]) == ("pkgbuild-missing", "error")
    assert "region" not in result["locations"][0]["physicalLocation"]


def test_nothing_found_is_a_run_without_results() -> None:
    assert as_sarif(Judgement.of(()))["runs"][0]["results"] == []
