"""A report as JUnit's XML, which nearly every CI shows: a test case for each finding."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from caur_ci.validation.model import Severity

if TYPE_CHECKING:
    from caur_ci.validation.model import Finding, Report

_REPOSITORY = "the repository"
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(report: Report) -> str:
    """Return the document. Errors and warnings are failures; notes stand in the output of a case
    that passed.
    """
    by_package: defaultdict[str, list[Finding]] = defaultdict(list)
    for found in report.findings:
        by_package[found.package].append(found)
    failures = sum(found.severity is not Severity.NOTE for found in report.findings)
    suites = ET.Element("testsuites", name="caur-ci validate")
    suite = ET.SubElement(suites, "testsuite", name="caur-ci validate")
    for package in sorted({*report.packages, *by_package}):
        for found in by_package[package]:
            _case(suite, found)
        if not by_package[package]:
            ET.SubElement(suite, "testcase", classname=package, name="valid")
    for element in (suites, suite):
        element.set("tests", str(len(suite)))
        element.set("failures", str(failures))
        element.set("errors", "0")
    ET.indent(suites)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"
    )


def _case(suite: ET.Element, found: Finding) -> None:
    attributes = {
        "classname": found.package or _REPOSITORY,
        "name": found.code,
        "file": _held(found.file),
    }
    if found.line:
        attributes["line"] = str(found.line)
    case = ET.SubElement(suite, "testcase", attributes)
    text = _held(f"{found}\n{found.remedy}")
    if found.severity is Severity.NOTE:
        ET.SubElement(case, "system-out").text = text
    else:
        kind = found.severity.value
        ET.SubElement(case, "failure", message=_held(found.message), type=kind).text = text


def _held(text: str) -> str:
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)
