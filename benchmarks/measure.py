"""Runs a command several times and reads the clocks."""

from __future__ import annotations

import contextlib
import io
import os
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.environment import child_environment
from caur_ci.process import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class BenchmarkError(Exception):
    """A measured command did not do what it is measured for."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: seconds on the wall, seconds of CPU with all children, memory in MB at its peak."""

    wall: float
    cpu: float
    memory: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """All runs of one command."""

    samples: tuple[Sample, ...]

    @property
    def median(self) -> float:
        """The median of the wall times."""
        return statistics.median(sample.wall for sample in self.samples)

    @property
    def best(self) -> float:
        """The best wall time: what is left when nothing else ran."""
        return min(sample.wall for sample in self.samples)

    @property
    def cpu(self) -> float:
        """The median of the CPU times, children counted."""
        return statistics.median(sample.cpu for sample in self.samples)

    @property
    def memory(self) -> float:
        """The largest process of any run, in MB."""
        return max(sample.memory for sample in self.samples)


def measure(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    repeat: int,
    prepare: Callable[[], None] = lambda: None,
    warm_up: bool = True,
    environment: Mapping[str, str] | None = None,
    output: Path = Path(os.devnull),
) -> Measurement:
    """Run `command` in new processes, `prepare` before each of them, not measured.

    The first run is thrown away with `warm_up`: it compiles, and fills the disk cache. What the
    last run prints is in `output`.

    Raises BenchmarkError when the command fails.
    """
    samples = []
    for number in range(repeat + warm_up):
        prepare()
        sample = _run_once([str(part) for part in command], cwd, environment or {}, output)
        if number or not warm_up:
            samples.append(sample)
    return Measurement(tuple(samples))


def _run_once(
    command: list[str], cwd: Path, environment: Mapping[str, str], output: Path
) -> Sample:
    own = {"HOME": str(cwd), "GIT_CONFIG_GLOBAL": "/dev/null"}
    with output.open("wb") as printed:
        started = time.perf_counter()
        child = subprocess.Popen(
            command,
            cwd=cwd,
            env=child_environment({**own, **environment}),
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.PIPE,
        )
    with child.stderr or contextlib.nullcontext(io.BytesIO()) as stream:
        messages = stream.read().decode(errors="replace")
    # Unlike RUSAGE_CHILDREN this is the usage of one child, and of those that it waited for.
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise BenchmarkError(f"{describe(command)} ended with {child.returncode}: {messages}")
    return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
