"""Logs by lines."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.logs import LogChunk
from scheduler.web.pages import log_lines
from scheduler.web.pages.log_lines import LONGEST_LINE, Heading, LineIndex, LineIndexes, Match


class Log:
    """A log that grows, read in portions as from Redis; notes how much was read."""

    def __init__(self, data: bytes = b"", *, ended: bool = False) -> None:
        self.data = data
        self.ended = ended
        self.read_bytes = 0

    def read(self, offset: int, limit: int) -> LogChunk:
        part = self.data[offset : offset + limit]
        self.read_bytes += len(part)
        end = offset + len(part)
        ended = self.ended and end >= len(self.data)
        return LogChunk(data=part, next_offset=end, ended=ended)


def index_of(log: Log) -> LineIndex:
    index = LineIndex()
    index.extend(log.read)
    return index


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_lines, "BLOCK", 8)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\n\n", b"defghijklmn"]), max_size=25).map(
        b"".join
    ),
    cuts=st.lists(st.integers(0, 40), max_size=3),
    first=st.integers(1, 30),
)
def test_every_line_is_found_however_the_log_grew(
    small_blocks: None, data: bytes, cuts: list[int], first: int
) -> None:
    index, log = LineIndex(), Log()
    for cut in (*sorted(cuts), len(data)):
        log.data = data[:cut]
        index.extend(log.read)
    lines = data.split(b"\n")
    lines = lines if lines[-1] else lines[:-1]

    assert (index.total, index.size) == (len(lines), len(data))
    holding = [
        number for number, line in enumerate(lines, start=1) if number >= first and b"c" in line
    ]
    matches, _ = index.search(log.read, "C", first, limit=100)
    assert [match.line for match in matches] == holding
    found = index.lines(log.read, first, 100)
    assert [(line.number, line.text.encode()) for line in found] == list(
        enumerate(lines[first - 1 :], start=first)
    )


def test_of_a_large_log_little_is_read_for_a_line() -> None:
    data = b"".join(b"line %d\n" % number for number in range(1, 200_001))
    log = Log(data, ended=True)
    index = index_of(log)
    log.read_bytes = 0

    (line,) = index.lines(log.read, 150_000, 1)
    assert (line.text, index.total, index.ended) == ("line 150000", 200_000, True)
    assert log.read_bytes <= 2 * log_lines.BLOCK


def test_long_lines_are_cut_and_the_next_ones_are_right() -> None:
    log = Log(b"first\n" + b"x" * 3_000_000 + b"\nlast")
    first, long, last = index_of(log).lines(log.read, 1, 10)

    assert (len(long.text), long.left_out) == (LONGEST_LINE, 3_000_000 - LONGEST_LINE)
    assert (first.text, last.text, last.number) == ("first", "last", 3)


def test_one_answer_has_an_end() -> None:
    log = Log((b"y" * 10_000 + b"\n") * 300)
    index = index_of(log)
    found = index.lines(log.read, 1, 1000)

    assert 100 < len(found) < 200
    assert index.lines(log.read, len(found) + 1, 1)[0].number == len(found) + 1


def test_a_log_that_had_ended_may_go_on() -> None:
    log = Log(b"one\n", ended=True)
    index = index_of(log)
    assert index.ended

    log.data, log.ended = b"one\ntwo", False
    index.extend(log.read)
    assert (index.ended, index.total) == (False, 2)


def test_search_goes_on_where_it_stopped() -> None:
    log = Log(b"Error one\nfine\n\x1b[31mERROR\x1b[0m two\nerror three\n")
    index = index_of(log)

    found, rest = index.search(log.read, "error", 1, limit=2)
    assert (found, rest) == ([Match(1, "Error one"), Match(3, "ERROR two")], 4)
    assert index.search(log.read, "error", 4, limit=2) == ([Match(4, "error three")], None)
    assert index.search(log.read, "a.*b", 1, limit=2) == ([], None)
    assert index.search(log.read, "error two", 1, limit=2) == ([Match(3, "ERROR two")], None)
    assert index.search(log.read, "two error", 1, limit=2) == ([], None)


def test_headings_are_noted_on_the_way() -> None:
    lines = [b"==> Making package: a", b"x ==> no", b"\x1b[1m==>\x1b[0m Starting build()...\r"]
    data = b"\n".join([*lines, b"==> caur-ci: <ended>", b""])
    index, log = LineIndex(), Log()
    for cut in range(0, len(data) + 1, 7):
        log.data = data[:cut]
        index.extend(log.read)
    log.data = data
    index.extend(log.read)

    assert index.headings == [
        Heading(1, "Making package: a"),
        Heading(3, "Starting build()..."),
        Heading(4, "caur-ci: <ended>"),
    ]


def test_indexes_are_kept_for_the_logs_looked_at_lately(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_lines, "_KEPT_INDEXES", 2)
    indexes = LineIndexes()
    first = indexes.of(1, 1)
    indexes.of(2, 1)

    assert indexes.of(1, 1) is first
    indexes.of(3, 1)
    assert indexes.of(1, 1) is first
    indexes.of(4, 1)
    indexes.of(5, 1)
    assert indexes.of(1, 1) is not first
