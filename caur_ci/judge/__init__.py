"""Judges changes of package folders by what they mean, without running anything."""

from __future__ import annotations

from caur_ci.judge.limited import LimitedJudge
from caur_ci.judge.model import Finding, Judgement, PackageContext, Severity, Verdict
from caur_ci.judge.package import File

__all__ = [
    "File",
    "Finding",
    "Judgement",
    "LimitedJudge",
    "PackageContext",
    "Severity",
    "Verdict",
]
