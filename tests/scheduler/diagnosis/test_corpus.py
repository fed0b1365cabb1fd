"""The first error of logs as they are seen every day, one for each tool and kind of failure."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler.diagnosis.firsterror import find_first_error
from scheduler.diagnosis.lines import read_lines

# In each, `>>>` stands before the line that tells why the build failed.
LOGS = Path(__file__).parents[2] / "fixtures" / "logs"
MARK = b">>>"


@pytest.mark.parametrize("name", sorted(path.stem for path in LOGS.glob("*.log")))
def test_the_first_error(name: str) -> None:
    marked = (LOGS / f"{name}.log").read_bytes()
    place = marked.index(MARK)
    log = marked.replace(MARK, b"", 1)

    error = find_first_error(read_lines([log])).error

    assert error is not None
    assert (error.line.number, error.line.offset) == (
        marked[:place].count(b"\n") + 1,
        place,
    ), error
