"""What logs and the history cost."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import measure
from benchmarks.queue.server import private_server
from scheduler.history import History, PastJob
from scheduler.job import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.measure import Measurement

_LOG = 100 * 1000 * 1000
_JOBS, _PACKAGES = 100_000, 2_500


def history_rows(
    *, log: int = _LOG, jobs: int = _JOBS, packages: int = _PACKAGES
) -> Iterator[tuple[str, str]]:
    """Measure on made-up logs and jobs."""
    with (
        private_server() as server,
        tempfile.TemporaryDirectory(prefix="caur-bench-") as made,
    ):
        folder = Path(made) / "history"
        size = f"a log of {log / 1e6:.0f} MB"
        for step, what in (
            ("write", f"{size} written, without secrets"),
            ("archive", f"{size} moved to disk"),
            ("read", f"{size} read from there by 50 readers (goal: 150 MB)"),
        ):
            words = ["-m", "benchmarks.history_side", step, server.url, str(folder), str(log)]
            command = [sys.executable, *words]
            yield what, _shown(measure(command, cwd=Path.cwd(), repeat=1, warm_up=False))
        stored = sum(path.stat().st_size for path in folder.glob("logs/*/*"))
        yield f"{size} on disk", f"{stored / 1e6:.1f} MB"
        yield from _history_rows(Path(made) / "jobs", jobs, packages)


def _history_rows(folder: Path, jobs: int, packages: int) -> Iterator[tuple[str, str]]:
    with History.open(folder) as history:
        begun = time.perf_counter()
        for first in range(1, jobs + 1, 500):
            history.record(_job(number, packages) for number in range(first, first + 500))
        yield f"{jobs:,} jobs recorded, 500 at a time", f"{time.perf_counter() - begun:.1f} s"
        size = (folder / "history.sqlite").stat().st_size
        yield f"{jobs:,} jobs on disk", f"{size / 1e6:.0f} MB"
        begun = time.perf_counter()
        assert len(history.forecasts(_identity(n) for n in range(packages))) == packages  # noqa: S101
        yield f"forecasts of {packages:,} packages", f"{_milliseconds(begun):.0f} ms"
        begun = time.perf_counter()
        assert len(history.of_package(_identity(1), limit=20)) == min(20, jobs // packages)  # noqa: S101
        yield "the last 20 jobs of a package", f"{_milliseconds(begun):.1f} ms"


def _job(number: int, packages: int) -> PastJob:
    repo, arch, pkgbase = _identity(number % packages).split("/")
    return PastJob(
        job_id=number,
        target_repo=repo,
        arch=arch,
        pkgbase=pkgbase,
        source_repo="source",
        commit=f"{number:040x}",
        build_class="1",
        outcome=Outcome.SUCCESS,
        started=60.0 * number,
        landed=60.0 * number + 45,
        finished=60.0 * number + 50,
    )


def _identity(number: int) -> str:
    return f"repo/x86_64/package{number}"


def _milliseconds(begun: float) -> float:
    return 1000 * (time.perf_counter() - begun)


def _shown(measured: Measurement) -> str:
    return f"{measured.median:.1f} s, {measured.cpu:.1f} s, {measured.memory:.0f} MB"
