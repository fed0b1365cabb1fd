"""Measures, and prints one table. `python -m benchmarks --help` tells the options."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks import repositories
from benchmarks.measure import BenchmarkError
from benchmarks.rows import AWK, Row, repository_rows, start_rows
from caur_ci.errors import CaurError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.repositories import BenchRepository


def main() -> int:
    """Measure what the command line asks for."""
    options = _options()
    rows: list[Row] = []
    try:
        rows += start_rows(options.repeat)
        for repository in _repositories(options):
            print(f"measuring: {repository.label}", file=sys.stderr)
            rows += repository_rows(repository, options.repeat)
    except (BenchmarkError, CaurError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    _show(rows, options.repeat)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--real",
        type=Path,
        metavar="PATH",
        default=os.environ.get("CAUR_REAL_METADATA") or None,
        help="folder or archive (.tar.zst) with the .SRCINFO files of a real repository; "
        "default: the variable CAUR_REAL_METADATA",
    )
    parser.add_argument(
        "--sizes",
        type=int,
        nargs="*",
        metavar="N",
        default=[2_500, 25_000],
        help="packages in the made-up repositories (default: 2500 25000)",
    )
    parser.add_argument(
        "--repeat", type=int, metavar="N", default=7, help="runs of each command (default: 7)"
    )
    options = parser.parse_args()
    if options.real is not None:
        options.real = Path(options.real).absolute()
        if not options.real.exists():
            parser.error(f"{options.real} does not exist")
    if options.repeat < 1 or any(size < 100 for size in options.sizes):
        parser.error("at least one run, and at least 100 packages")
    return options


def _repositories(options: argparse.Namespace) -> Iterator[BenchRepository]:
    """Make them one after the other: the large one takes a while."""
    for size in options.sizes:
        print(f"preparing: {size:,} packages", file=sys.stderr)
        yield repositories.generated(size)
    if options.real is not None:
        yield repositories.real(options.real)


def _show(rows: list[Row], repeat: int) -> None:
    # Markdown, so that it can go into a README as it is.
    table = Table(box=box.MARKDOWN)
    table.add_column("what")
    table.add_column("packages")
    for title in ("goal", "median", "best", "CPU", "memory", f"{AWK} for each file", "ratio"):
        table.add_column(title, justify="right")
    for row in rows:
        measured = row.measured
        table.add_row(
            row.what,
            row.repository,
            f"{row.goal:.2f} s" if row.goal is not None else "",
            f"{measured.median:.2f} s{'' if row.is_met else ' (missed)'}",
            f"{measured.best:.2f} s",
            f"{measured.cpu:.2f} s",
            f"{measured.memory:.0f} MB",
            f"{row.stand_in:.1f} s" if row.stand_in is not None else "",
            f"{row.stand_in / measured.median:.0f}" if row.stand_in is not None else "",
        )
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(table)
    console.print(
        f"{repeat} runs each in new processes; CPU counts children. Python "
        f"{platform.python_version()}, {os.cpu_count()} cores, {platform.system()}.",
        soft_wrap=True,
    )


if __name__ == "__main__":
    sys.exit(main())
