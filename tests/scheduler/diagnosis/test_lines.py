"""Logs as they come: in any portions, with anything in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.diagnosis.firsterror import find_first_error
from scheduler.diagnosis.lines import LONGEST_LINE, read_lines, read_log, shown
from scheduler.diagnosis.survey import GoodLog, Survey
from scheduler.logs import LogChunk

if TYPE_CHECKING:
    from collections.abc import Iterator

# What logs are made of, so that anything follows anything.
PIECES = st.sampled_from(
    [
        b"\n",
        b"\r",
        b"\x1b[1;31m",
        b"\x1b]0;title\x07",
        b"\x1b",
        b"\x00",
        b"\xff\xfe",
        b"==> Starting build()...",
        b"==> Starting check()...",
        b"main.c:1:2: error: no",
        b"make: *** [x] Error 1",
        b"make: [x] Error 1 (ignored)",
        b"==> ERROR: A failure occurred in build().",
        b"==> caur-ci: installed packages: a 1-1, b",
        b"==> caur-ci: ended: FAILED",
        b"E   assert 1",
        b"words and error words ",
    ]
)


def portions(data: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@settings(max_examples=60)
@given(st.lists(PIECES | st.binary(max_size=8), max_size=40), st.integers(1, 50))
def test_lines_do_not_depend_on_portions(pieces: list[bytes], size: int) -> None:
    log = b"".join(pieces)
    assert list(read_lines(portions(log, size))) == list(read_lines([log]))


@settings(max_examples=60)
@given(st.lists(PIECES | st.binary(max_size=8), max_size=40), st.booleans())
def test_a_line_that_is_told_is_a_line_of_the_log(pieces: list[bytes], hangs: bool) -> None:
    log = b"".join(pieces)
    error = find_first_error(read_lines([log]), hangs=hangs).error
    if error is None:
        return
    raw = log.split(b"\n")
    for line in (*error.before, error.line, *error.after):
        assert log[: line.offset].count(b"\n") == line.number - 1
        assert line.offset in {0, log.rfind(b"\n", 0, line.offset) + 1}
        assert len(line.text) <= 400
        assert "\x1b" not in line.text
    assert raw[error.line.number - 1].strip()


@settings(max_examples=40)
@given(*[st.lists(PIECES | st.binary(max_size=8), max_size=30)] * 2)
def test_logs_can_be_compared_whatever_they_hold(good: list[bytes], bad: list[bytes]) -> None:
    survey = Survey(GoodLog.read(read_lines([b"".join(good)])))
    log = b"".join(bad)
    survey.read(read_lines([log]))
    new = survey.first_new(survey.search.finding(None).step)
    assert new is None or new[2] in [text for _, _, text in read_lines([log])]
    assert all(survey.facts.installed)


def test_offsets_count_bytes() -> None:
    log = "é\r\n\x1b[31mred\x1b[0m\n\nend".encode()
    assert list(read_lines([log])) == [(1, 0, "é"), (2, 4, "red"), (3, 17, ""), (4, 18, "end")]
    assert log[18:] == b"end"


def test_what_was_written_over_is_left_out() -> None:
    assert [text for _, _, text in read_lines([b" 10%\r 90%\rdone\r\n"])] == ["done"]


def test_an_endless_line_is_cut_and_what_follows_has_its_place() -> None:
    size = 10 * 1024 * 1024
    log = [b"x" * 1024] * (size // 1024) + [b"\nmain.c:1:2: error: no\n"]
    first, second = list(read_lines(log))
    assert len(first[2]) == LONGEST_LINE
    assert second == (2, size + 1, "main.c:1:2: error: no")
    assert len(shown(first).text) == 400


class Remainder:
    """A log of which the first bytes are gone."""

    def __init__(self, first: int, data: bytes) -> None:
        self._first, self._data = first, data

    def read(self, job_id: int, attempt: int, offset: int = 0, *, limit: int = 9) -> LogChunk:
        del job_id, attempt
        start = max(offset, self._first)
        data = self._data[start - self._first :][: min(limit, 3)]
        return LogChunk(data=data, next_offset=start + len(data), ended=False)


def test_a_log_whose_beginning_is_gone() -> None:
    assert list(read_log(Remainder(100, b"one\ntwo\n"), 1, 1)) == [(1, 100, "one"), (2, 104, "two")]
    assert list(read_log(Remainder(100, b""), 1, 1)) == []


def test_a_line_acts_on_no_terminal() -> None:
    assert shown((1, 0, "a\x07b\tc\x9b")).text == "a�b     c�"
