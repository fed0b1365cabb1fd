"""Reports in the forms of other programs."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft202012Validator

from caur_ci.validation import Finding, Report, Severity
from caur_ci.validation.formats import Format, render
from tests.caur_ci.judge.test_sarif import SARIF
from tests.caur_ci.validation.cases import CASES
from tests.caur_ci.validation.worlds import package, report_on

TEXT = {"type": "string", "minLength": 1}
# What GitLab's documentation says of the entries of a report.
CODE_QUALITY = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "additionalProperties": False,
        "properties": {
            "description": TEXT,
            "check_name": TEXT,
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "additionalProperties": False,
                "properties": {
                    "path": {"type": "string", "pattern": "^[^/.]|^[.][^/]"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}


def everything() -> Report:
    """Return a report with each code, as they come from real checks."""
    found: list[Finding] = []
    for case in CASES:
        report = report_on(case.bad, surroundings=case.surroundings, nvchecker=case.nvchecker)
        found += report.findings
    return Report(findings=tuple(found), packages=("a", "tool"), not_checked=("much",))


@pytest.fixture(scope="module")
def full() -> Report:
    return everything()


def test_sarif_is_as_the_standard_says(full: Report) -> None:
    document = json.loads(render(full, Format.SARIF))

    Draft202012Validator(SARIF).validate(document)
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[it["ruleIndex"]]["id"] for it in run["results"]] == [
        it.code for it in full.findings
    ]
    assert {it["level"] for it in run["results"]} == {"error", "warning", "note"}


def test_code_quality_is_as_gitlab_says(full: Report) -> None:
    entries = json.loads(render(full, Format.CODE_QUALITY))

    Draft202012Validator(CODE_QUALITY).validate(entries)
    prints = [entry["fingerprint"] for entry in entries]
    assert len(prints) == len(set(prints)) == len(full.findings)


def test_a_fingerprint_does_not_depend_on_the_line() -> None:
    one, other = (
        Report(findings=(Finding("sum-weak", Severity.NOTE, "a", "a/PKGBUILD", line, "m", "r"),))
        for line in (3, 7)
    )
    first, second = (json.loads(render(it, Format.CODE_QUALITY))[0] for it in (one, other))

    assert first["fingerprint"] == second["fingerprint"]
    assert first["location"] != second["location"]


def test_junit_counts_what_it_holds(full: Report) -> None:
    root = ET.fromstring(render(full, Format.JUNIT))  # noqa: S314 - our own

    (suite,) = root
    failures = suite.findall("testcase/failure")
    assert root.tag == "testsuites"
    assert int(suite.attrib["tests"]) == len(suite) == len(full.findings) + 1
    assert int(suite.attrib["failures"]) == len(failures)
    assert len(failures) == full.count(Severity.ERROR) + full.count(Severity.WARNING)
    assert len(suite.findall("testcase/system-out")) == full.count(Severity.NOTE)
    assert [it.attrib["name"] for it in suite if it.attrib["classname"] == "a"] == ["valid"]


def test_junit_holds_what_xml_cannot() -> None:
    report = report_on({**package(), "tool/.CI/\udcff\x01\ufffe": "x"})
    found = report.findings[0].file.replace("\ufffe", "\N{REPLACEMENT CHARACTER}")

    root = ET.fromstring(render(report, Format.JUNIT))  # noqa: S314 - our own

    assert root.find(".//testcase").attrib["file"] == found  # type: ignore[union-attr]


def test_json_tells_everything(full: Report) -> None:
    data = json.loads(render(full, Format.JSON))

    assert data["version"] == 1
    assert data["packages"] == 2
    assert data["not_checked"] == ["much"]
    assert data["counts"]["error"] == full.count(Severity.ERROR) > 0
    stale = next(it for it in data["findings"] if it["code"] == "srcinfo-stale")
    assert stale == {
        "code": "srcinfo-stale",
        "severity": "error",
        "package": "tool",
        "file": "tool/.SRCINFO",
        "line": 0,
        "message": "it does not follow from the PKGBUILD: "
        "depends is nothing, the PKGBUILD says bash",
        "remedy": "`caur-ci srcinfo --write tool` writes it, or `--fix`.",
        "mendable": True,
    }
