"""Tables that are piped: every row is one line with all of its words."""

from __future__ import annotations

import io
import json
import string
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.cli.tables import table
from caur_ci.plaintext import one_line
from tests.support.git import srcinfo
from tests.support.queue import job, submit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler.queue import Queue
    from tests.support.git import Checkout, Content

NAMES = st.text(string.ascii_letters + string.digits + "@._+-", min_size=1, max_size=255)
# Blanks at the end of a cell are those of the table.
CELLS = st.one_of(NAMES, st.text(max_size=300))
LONG, LONGER = "n" * 199, "m" * 250


def _printed(rows: Sequence[Sequence[str]], title: str, total: int | None) -> list[str]:
    before, sys.stdout = sys.stdout, io.StringIO()
    try:
        shown = table(title, total, "one", "two", "three")
        for row in rows:
            shown.add(*row)
        Session().out.print(shown)
        return sys.stdout.getvalue().split("\n")
    finally:
        sys.stdout = before


@given(
    rows=st.lists(st.tuples(NAMES, CELLS, CELLS), max_size=5),
    title=st.one_of(st.just(""), NAMES),
)
def test_each_row_is_a_line_with_whole_cells(rows: list[tuple[str, str, str]], title: str) -> None:
    lines = _printed(rows, title, len(rows) if title else None)

    assert lines.pop() == ""
    assert all(line == line.rstrip(" ") for line in lines)
    if title:
        assert lines.pop(0) == f"{title}: {len(rows)}"
    assert lines[0].split() == ["one", "two", "three"]
    assert len(lines) == 1 + len(rows)
    for line, row in zip(lines[1:], rows, strict=True):
        for cell in row:
            # The stream puts a blank into what a forge would take for a command.
            assert one_line(cell).replace(" ", "") in line.replace(" ", "")


@given(row=st.tuples(NAMES, CELLS, CELLS), width=st.integers(1, 300))
def test_a_terminal_of_any_width_shows_it(row: tuple[str, str, str], width: int) -> None:
    shown = table("title", 1, "one", "two", "three")
    shown.add(*row)
    Console(width=width, file=io.StringIO()).print(shown)


@pytest.fixture(params=["40", "80"])
def _narrow(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setenv("COLUMNS", request.param)


@pytest.mark.usefixtures("_narrow")
class TestCommands:
    """What the commands print, with long names and a narrow terminal around."""

    def test_of_the_queue(
        self, queue: Queue, redis_url: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        submit(queue, job(LONG), job(LONGER, LONG))
        for command in ("status", "queue list", f"why {LONGER}", f"queue show {LONGER}"):
            run([*command.split(), "--redis", redis_url], Session())
            lines = capsys.readouterr().out.splitlines()
            assert any(f"repo/x86_64/{LONGER}" in line for line in lines), command
            assert any(LONG in line for line in lines), command

    @pytest.mark.usefixtures("queue")
    def test_of_removals(self, redis_url: str, capsys: pytest.CaptureFixture[str]) -> None:
        names = [f"{LONG}-{number}" for number in range(9)]
        options = [part for name in names for part in ("--remove", name)]
        run(["auto-repo-remove", "--target-repo=r", *options, "--redis", redis_url], Session())
        capsys.readouterr()
        run(["queue", "removals", "--redis", redis_url], Session())
        shown = capsys.readouterr().out
        assert all(name in shown for name in names)

    def test_of_a_repository(self, checkout: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
        files: dict[str, Content] = {
            f"{LONG}/PKGBUILD": "1",
            f"{LONG}/.SRCINFO": srcinfo(LONG, f"depends = {LONGER}"),
            f"{LONGER}/PKGBUILD": "1",
            f"{LONGER}/.SRCINFO": srcinfo(LONGER),
        }
        checkout.commit("x", files)
        for command in ("on-commit --dry-run", "deptree", "deptree --order"):
            run([*command.split(), "--repo", str(checkout.folder)], Session())
            words = capsys.readouterr().out.split()
            assert {LONG, LONGER} <= set(words), command


def test_what_is_left_out_is_told(
    queue: Queue, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    submit(queue, job("a"), job("b"), job("c"))
    run(["status", "--limit", "1", "--redis", redis_url], Session())
    assert "2 more jobs are not shown" in capsys.readouterr().err
    run(["status", "--redis", redis_url], Session())
    assert capsys.readouterr().err == ""
    run(["status", "--json", "--redis", redis_url], Session())
    assert json.loads(capsys.readouterr().out)["total_ready"] == 3
