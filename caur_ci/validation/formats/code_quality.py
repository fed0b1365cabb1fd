"""A report as GitLab takes it for the widget of merge requests (Code Quality)."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any

from caur_ci.validation.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.validation.model import Report

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.NOTE: "info"}


def as_code_quality(report: Report) -> list[dict[str, Any]]:
    """Return the findings, each with a fingerprint that does not depend on its line."""
    return list(_entries(report))


def _entries(report: Report) -> Iterator[dict[str, Any]]:
    same: Counter[str] = Counter()
    for found in report.findings:
        what = f"{found.code} {found.file} {found.message}"
        same[what] += 1
        yield {
            "description": f"{found.message}. {found.remedy}",
            "check_name": found.code,
            "fingerprint": hashlib.sha256(f"{what} {same[what]}".encode()).hexdigest(),
            "severity": _SEVERITIES[found.severity],
            "location": {"path": found.file, "lines": {"begin": found.line or 1}},
        }
