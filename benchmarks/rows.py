"""What is measured."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import Measurement, measure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.repositories import BenchRepository

_CAUR_CI = (sys.executable, "-m", "caur_ci")
# The existing system needs gawk; any other is at least as fast to start.
AWK = next(filter(shutil.which, ("gawk", "mawk")), "awk")
_PROGRAM = Path(__file__).with_name("names.awk")
_LOOP = """\
awk=$1 program=$2
shift 2
for file; do
    printf '%s;' "$("$awk" -f "$program" "$file")"
done
"""
# How many files the stand-in reads; it takes the same time for each.
_SAMPLED = 1_000
# The goals are set for repositories of this size.
_GOAL_SIZE = 2_600


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `goal` and `stand_in` are seconds; None where there is none.

    `stand_in` is what a shell loop with one awk process for each `.SRCINFO` takes on the same
    repository: the least that the existing system's way to a dependency tree can cost.
    """

    what: str
    repository: str
    measured: Measurement
    goal: float | None = None
    stand_in: float | None = None

    @property
    def is_met(self) -> bool:
        """Whether the goal is reached, or there is none."""
        return self.goal is None or self.measured.median <= self.goal


def start_rows(repeat: int) -> Iterator[Row]:
    """Measure how long it takes until anything happens."""
    shown = measure([*_CAUR_CI, "--help"], cwd=Path("/"), repeat=repeat)
    yield Row("--help", "", shown, goal=0.25)


def repository_rows(repository: BenchRepository, repeat: int) -> Iterator[Row]:
    """Measure the commands that read the whole repository."""
    count = repository.packages
    of_goal_size = count <= _GOAL_SIZE
    stand_in = _awk_for_each(repository, count)
    on_commit = measure(
        [*_CAUR_CI, "on-commit"], cwd=repository.clone, repeat=repeat, prepare=repository.rewind
    )
    yield Row(
        "on-commit, six changed",
        repository.label,
        on_commit,
        goal=0.6 if of_goal_size else None,
        stand_in=stand_in,
    )
    for form in ("tree", "wire", "json"):
        yield Row(
            f"deptree --format {form}",
            repository.label,
            measure([*_CAUR_CI, "deptree", "--format", form], cwd=repository.clone, repeat=repeat),
            goal=0.5 if of_goal_size else None,
            stand_in=stand_in,
        )


def _awk_for_each(repository: BenchRepository, count: int) -> float:
    """Return how long one awk process for each `.SRCINFO` takes, from a sample of them."""
    files = sorted(repository.clone.glob("*/.SRCINFO"))[:_SAMPLED]
    command = ["bash", "-c", _LOOP, "bash", AWK, str(_PROGRAM), *map(str, files)]
    return measure(command, cwd=repository.clone, repeat=1).best * count / len(files)
