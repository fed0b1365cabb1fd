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
from benchmarks.conflicts import conflicts_rows
from benchmarks.history import history_rows
from benchmarks.judge import judge_rows
from benchmarks.linkage import linkage_rows
from benchmarks.machines.rows import BUILDERS, PACKAGES, machines_rows
from benchmarks.measure import BenchmarkError
from benchmarks.pages import pages_rows
from benchmarks.publishing import publishing_rows
from benchmarks.queue.rows import QueueRow, queue_rows
from benchmarks.rows import AWK, Row, repository_rows, start_rows
from benchmarks.schedule import schedule_rows
from benchmarks.srcinfo import srcinfo_rows
from benchmarks.updates import updates_rows
from benchmarks.validate import found_rows, validate_rows
from benchmarks.web import web_rows
from caur_ci.errors import CaurError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.repositories import BenchRepository


def main() -> int:
    """Measure what the command line asks for."""
    options = _options()
    try:
        for part, measure in _PARTS.items():
            if options.only in {None, part}:
                measure(options)
    except (BenchmarkError, CaurError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _commands(options: argparse.Namespace) -> None:
    _show(list(_command_rows(options)), options.repeat)


def _schedule(options: argparse.Namespace) -> None:
    _show(list(_schedule_rows(options)), options.repeat)


def _updates(options: argparse.Namespace) -> None:
    _show_updates(list(_told(updates_rows(options.repeat))), options.repeat)


def _queue(options: argparse.Namespace) -> None:
    _show_queue(list(_told(queue_rows(options.repeat))), options.repeat)


def _publishing(options: argparse.Namespace) -> None:
    _show_publishing(list(_told(publishing_rows(options.repeat))), options.repeat)


def _srcinfo(options: argparse.Namespace) -> None:
    if options.pkgbuilds is not None:
        _show_pairs(list(srcinfo_rows(options.pkgbuilds, options.asked)), "PKGBUILDs")


def _judge(options: argparse.Namespace) -> None:
    _show_pairs(list(judge_rows(options.history)), "changes")


def _history(_options: argparse.Namespace) -> None:
    times = "times are those on the wall and of the processor, with the memory of the process"
    _show_pairs(list(history_rows()), "logs and jobs", times)


def _linkage(options: argparse.Namespace) -> None:
    rows = list(linkage_rows(options.repeat))
    _show_pairs(rows, "libraries", "times are those on the wall and of the processor")


def _conflicts(_options: argparse.Namespace) -> None:
    rows = list(conflicts_rows())
    _show_pairs(rows, "files of other packages", "times are those on the wall")


def _web(_options: argparse.Namespace) -> None:
    _show_pairs(list(web_rows()), "logs", "times are those on the wall")


def _pages(_options: argparse.Namespace) -> None:
    _show_pairs(list(pages_rows()), "pages", "times are those on the wall")


def _machines(options: argparse.Namespace) -> None:
    rows = list(machines_rows(builders=options.builders, packages=options.packages))
    _show_pairs(rows, "states of the queue", "each was watched for some seconds")


def _command_rows(options: argparse.Namespace) -> Iterator[Row]:
    yield from start_rows(options.repeat)
    for repository in _repositories(options):
        print(f"measuring: {repository.label}", file=sys.stderr)
        yield from repository_rows(repository, options.repeat)


def _schedule_rows(options: argparse.Namespace) -> Iterator[Row]:
    for repository in _repositories(options):
        print(f"measuring: {repository.label}", file=sys.stderr)
        yield from schedule_rows(repository, options.repeat)


def _validation(options: argparse.Namespace) -> None:
    """Measure validations, and show what they find."""
    repositories = list(_repositories(options))
    rows = [row for each in repositories for row in validate_rows(each, options.repeat)]
    _show(rows, options.repeat)
    for repository in repositories:
        _show_pairs(found_rows(repository), f"folders ({repository.label})", "findings by code")


_PARTS = {
    "commands": _commands,
    "schedule": _schedule,
    "validate": _validation,
    "updates": _updates,
    "queue": _queue,
    "publishing": _publishing,
    "srcinfo": _srcinfo,
    "judge": _judge,
    "history": _history,
    "linkage": _linkage,
    "conflicts": _conflicts,
    "web": _web,
    "pages": _pages,
    "machines": _machines,
}


def _told(rows: Iterator[QueueRow]) -> Iterator[QueueRow]:
    """Say what is done, which takes a while."""
    for row in rows:
        print(f"measured: {row.what}", file=sys.stderr)
        yield row


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
        "--only",
        choices=tuple(_PARTS),
        help="measure one part (default: all of them)",
    )
    parser.add_argument(
        "--repeat", type=int, metavar="N", default=7, help="runs of each command (default: 7)"
    )
    parser.add_argument(
        "--pkgbuilds",
        type=Path,
        metavar="DIR",
        help="checkout of a real repository whose PKGBUILDs are evaluated",
    )
    parser.add_argument(
        "--asked",
        type=int,
        metavar="N",
        default=100,
        help="of how many of these makepkg is asked as well (default: 100)",
    )
    parser.add_argument(
        "--history",
        type=Path,
        metavar="REPO",
        help="repository whose past updates are judged (default: made-up changes)",
    )
    parser.add_argument(
        "--builders",
        type=int,
        metavar="N",
        default=BUILDERS,
        help=f"how many builders are simulated (default: {BUILDERS})",
    )
    parser.add_argument(
        "--packages",
        type=int,
        metavar="N",
        default=PACKAGES,
        help=f"how many jobs there are for them (default: {PACKAGES})",
    )
    options = parser.parse_args()
    if options.real is not None:
        options.real = Path(options.real).absolute()
        if not options.real.exists():
            parser.error(f"{options.real} does not exist")
    if options.only == "srcinfo" and options.pkgbuilds is None:
        parser.error("--only srcinfo needs --pkgbuilds DIR")
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
    _print(table, f"{repeat} runs each in new processes; CPU counts children.")


def _show_updates(rows: list[QueueRow], repeat: int) -> None:
    _print(
        _table_of(rows),
        f"{repeat} runs each in new processes, by turns; none overlooked a change. The mirror, the "
        "AUR and the forge are on this machine. Without judging, what the judge says is known "
        "before. The ratio is that of a run to the one without judging, the median of all turns.",
    )


def _show_queue(rows: list[QueueRow], repeat: int) -> None:
    _print(
        _table_of(rows),
        f"{repeat} runs each, those that are compared by turns on the same server. A ratio is the "
        "median of the ratios of all turns: our rate to that of the other queue (and that of the "
        "best runs), the long queue to the short one.",
    )


def _show_publishing(rows: list[QueueRow], repeat: int) -> None:
    _print(
        _table_of(rows),
        f"{repeat} runs each, by turns. The ratio is that of the transaction, signatures and all, "
        "to as many repo-add calls, of which five were made, without any signature.",
    )


_OF_THE_PROCESSOR = "times are those of the processor"


def _show_pairs(rows: list[tuple[str, str]], what: str, times: str = _OF_THE_PROCESSOR) -> None:
    table = Table(box=box.MARKDOWN)
    table.add_column("what")
    table.add_column("found", justify="right")
    for row in rows:
        table.add_row(*row)
    _print(table, f"One pass over all {what}; {times}.")


def _table_of(rows: list[QueueRow]) -> Table:
    table = Table(box=box.MARKDOWN)
    table.add_column("what")
    for title in ("goal", "median", "best", "ratio"):
        table.add_column(title, justify="right")
    for row in rows:
        met = "" if row.is_met or not row.goal else " (missed)"
        table.add_row(row.what, row.goal, row.median, row.best, f"{row.ratio}{met}")
    return table


def _print(table: Table, remark: str) -> None:
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(table)
    console.print(
        f"{remark} Python {platform.python_version()}, {os.cpu_count()} cores, "
        f"{platform.system()}.",
        soft_wrap=True,
    )


if __name__ == "__main__":
    sys.exit(main())
