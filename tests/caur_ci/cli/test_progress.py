"""Progress on a terminal and in a log."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

from rich.console import Console

from caur_ci.cli.progress import progress_on


def test_a_log_gets_a_few_lines() -> None:
    file = io.StringIO()

    with progress_on(Console(file=file, width=80)) as progress:
        progress.begin("Nothing", 0)
        progress.begin("A little", 3)
        for _ in range(3):
            progress.advance()
        progress.begin("Looking", 1000)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: progress.advance(), range(1000)))

    lines = file.getvalue().splitlines()
    assert lines == [
        "A little: 3",
        "Looking: 1000",
        *(f"Looking: {done} of 1000" for done in (250, 500, 750, 1000)),
    ]


def test_more_than_expected_is_no_error() -> None:
    file = io.StringIO()

    with progress_on(Console(file=file)) as progress:
        progress.advance()
        progress.begin("Looking", 40)
        progress.advance(100)

    assert file.getvalue().splitlines()[-1] == "Looking: 100 of 40"


def test_a_terminal_gets_one_bar_that_goes_away() -> None:
    file = io.StringIO()

    with progress_on(Console(file=file, force_terminal=True, width=100)) as progress:
        progress.advance()
        progress.begin("Looking", 2)
        progress.begin("Comparing", 2)
        progress.advance(2)

    shown = file.getvalue()
    assert "Comparing" in shown
    assert "2/2" in shown
    assert shown.endswith("\x1b[2K")  # the line is wiped
