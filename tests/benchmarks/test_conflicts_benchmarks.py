"""What is measured is a whole check."""

from __future__ import annotations

from benchmarks.conflicts import conflicts_rows


def test_an_index_and_a_check_are_measured() -> None:
    rows = dict(conflicts_rows(packages=30, distribution=20, batch=3))

    assert list(rows) == ["index of 20 packages", "3 of 30 packages (goal: 1 s)"]
    assert all(" s" in shown for shown in rows.values())
