"""A report as JSON of our own, with everything that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caur_ci.validation.model import Severity

if TYPE_CHECKING:
    from caur_ci.validation.model import Finding, Report


def as_data(report: Report) -> dict[str, Any]:
    """Return the report as what JSON has; `docs/validate.md` tells its form."""
    return {
        "version": 1,
        "packages": len(report.packages),
        "counts": {severity.value: report.count(severity) for severity in Severity},
        "silenced": report.silenced,
        "not_checked": list(report.not_checked),
        "findings": [_finding(found) for found in report.findings],
    }


def _finding(found: Finding) -> dict[str, Any]:
    return {
        "code": found.code,
        "severity": found.severity.value,
        "package": found.package,
        "file": found.file,
        "line": found.line,
        "message": found.message,
        "remedy": found.remedy,
        "mendable": found.mend is not None,
    }
