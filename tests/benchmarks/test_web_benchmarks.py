"""What is measured is whole logs, read while they are written."""

from __future__ import annotations

from benchmarks.web import Sizes, web_rows


def test_readers_of_one_log_and_of_many() -> None:
    sizes = Sizes(log=1, readers=6, logs=2, readers_of_each=2, rate=50, seconds=0.3)

    rows = dict(web_rows(sizes))

    assert rows["6 live readers of a log of 1 MB: lost or doubled"] == "nothing"
    assert rows["4 readers of 2 growing logs, 50 requests/s: lost or doubled"] == "nothing"
    assert all(shown.endswith(" MB") for what, shown in rows.items() if "memory" in what)
