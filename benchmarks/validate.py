"""How long a validation of a whole repository takes, and what it finds there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from benchmarks.measure import measure
from benchmarks.rows import Row
from caur_ci.git import GitRepository
from caur_ci.pipeline.validating.journey import validate
from caur_ci.pipeline.validating.scope import everything
from caur_ci.validation import Surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.repositories import BenchRepository

_GOAL = 3.0
_GOAL_SIZE = 2_600
# Findings are no failure of the command that is measured.
_TAKING_FINDINGS = '"$@" || [ $? -eq 1 ]'


def validate_rows(repository: BenchRepository, repeat: int) -> Iterator[Row]:
    """Measure a validation of everything."""
    command = [sys.executable, "-m", "caur_ci", "validate", "--json"]
    of_goal_size = repository.packages <= _GOAL_SIZE
    measured = measure(
        ["sh", "-c", _TAKING_FINDINGS, "sh", *command], cwd=repository.clone, repeat=repeat
    )
    yield Row("validate", repository.label, measured, goal=_GOAL if of_goal_size else None)


def found_rows(repository: BenchRepository) -> list[tuple[str, str]]:
    """Return how many findings there are by code, the most first."""
    report = validate(GitRepository.open(repository.clone), everything(), Surroundings()).report
    return [(code, f"{count:,}") for code, count in report.codes.most_common()]
