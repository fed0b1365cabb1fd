"""What is measured is every kind of page, with what it shows."""

from __future__ import annotations

from benchmarks.pages import Sizes, pages_rows


def test_every_page_is_answered() -> None:
    rows = dict(pages_rows(Sizes(packages=8, waiting=5, past=30, log=1)))

    assert rows["8 packages read"].endswith(" s")
    assert {"/", "/packages", "/failing", "/dependencies", "/build/7"} <= rows.keys()
    assert all(" ms, then " in shown for what, shown in rows.items() if what.startswith("/"))
