"""What is wrong with a repository of PKGBUILDs, found without running any of it.

Every check is a function over a snapshot of the folders: nothing but `reading` looks at disk or
git, nothing but `evaluating` starts processes, nothing but `mending` writes.
"""

from __future__ import annotations

from caur_ci.validation.checking import Checker
from caur_ci.validation.model import Finding, Report, Severity
from caur_ci.validation.snapshot import Snapshot
from caur_ci.validation.view import Surroundings

__all__ = ["Checker", "Finding", "Report", "Severity", "Snapshot", "Surroundings"]
