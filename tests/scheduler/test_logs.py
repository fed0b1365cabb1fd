"""Build logs in Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.logs import FULL_NOTE, KEPT_SECONDS, LogStore

if TYPE_CHECKING:
    from redis import Redis


def test_a_log_is_read_on_while_it_is_written(redis: Redis) -> None:
    logs = LogStore(redis)
    logs.append(1, 1, b"==> Making package\r\n")
    first = logs.read(1, 1)
    assert (first.data, first.ended) == (b"==> Making package\r\n", False)
    logs.append(1, 1, b"\x1b[1mbytes \xff\x00\x1b[0m")
    second = logs.read(1, 1, first.next_offset)
    assert second.data == b"\x1b[1mbytes \xff\x00\x1b[0m"
    assert logs.read(1, 1, second.next_offset).data == b""
    logs.finish(1, 1)
    assert logs.read(1, 1, second.next_offset).ended is True


def test_a_finished_log_ends_only_once_it_is_read_to_its_end(redis: Redis) -> None:
    logs = LogStore(redis)
    logs.append(1, 1, b"0123456789")
    logs.finish(1, 1)
    chunk = logs.read(1, 1, limit=4)
    assert (chunk.data, chunk.next_offset, chunk.ended) == (b"0123", 4, False)
    assert logs.read(1, 1, 4).ended is True
    assert logs.read_all(1, 1) == b"0123456789"


def test_each_attempt_has_a_log_of_its_own(redis: Redis) -> None:
    logs = LogStore(redis)
    logs.append(1, 1, b"first")
    logs.append(1, 2, b"second")
    logs.append(11, 2, b"other")
    assert logs.read_all(1, 1) == b"first"
    assert logs.read_all(1, 2) == b"second"


def test_the_latest_log_of_a_package_is_known(redis: Redis) -> None:
    logs = LogStore(redis)
    assert logs.latest("repo/x86_64/a") is None
    logs.start(3, 1, "repo/x86_64/a")
    logs.start(17, 2, "repo/x86_64/a")
    logs.start(18, 1, "repo/x86_64/b")
    assert logs.latest("repo/x86_64/a") == (17, 2)


def test_a_log_is_bounded_and_says_so(redis: Redis) -> None:
    logs = LogStore(redis, max_size=10)
    assert logs.append(1, 1, b"12345") is True
    assert logs.append(1, 1, b"67890abc") is False
    assert logs.append(1, 1, b"more") is False
    assert logs.read_all(1, 1) == b"1234567890" + FULL_NOTE


def test_logs_are_kept_for_seven_days(redis: Redis) -> None:
    logs = LogStore(redis)
    logs.start(1, 1, "repo/x86_64/a")
    logs.append(1, 1, b"text")
    logs.finish(1, 1)
    for key in redis.scan_iter():
        assert KEPT_SECONDS - 60 < redis.ttl(key) <= KEPT_SECONDS


def test_a_log_nobody_wrote_is_empty(redis: Redis) -> None:
    chunk = LogStore(redis).read(1, 1)
    assert (chunk.data, chunk.ended) == (b"", False)


def test_the_oldest_logs_make_room_for_new_ones(redis: Redis) -> None:
    for number in range(1, 5):
        logs = LogStore(redis, max_total=25)
        logs.start(number, 1, f"repo/x86_64/p{number}")
        logs.append(number, 1, b"0123456789")
        logs.finish(number, 1)
    LogStore(redis, max_total=25).start(5, 1, "repo/x86_64/p5")

    assert [len(logs.read_all(number, 1)) for number in range(1, 5)] == [0, 0, 10, 10]
    assert logs.of_package("repo/x86_64/p1") == []
    (entry,) = logs.of_package("repo/x86_64/p4")
    assert (entry.job_id, entry.attempt, entry.size, entry.ended) == (4, 1, 10, True)


def test_an_attempt_that_comes_again_goes_on_in_its_log(redis: Redis) -> None:
    logs = LogStore(redis)
    for text in (b"handed back, ", b"and on"):
        logs.start(1, 1, "repo/x86_64/a")
        assert logs.read(1, 1, limit=100).ended is False
        logs.append(1, 1, text)
        logs.finish(1, 1)
    assert logs.read_all(1, 1) == b"handed back, and on"
    assert len(logs.of_package("repo/x86_64/a")) == 1
