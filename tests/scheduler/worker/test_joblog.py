"""A build's log on its way to Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.connection import client_of
from scheduler.logs import LogStore
from scheduler.queue import Claim
from scheduler.worker.joblog import JobLog
from tests.support.queue import job

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from redis import Redis

CLAIM = Claim(job_id=1, token=1, attempt=1, owner="worker", lease_until=0, spec=job("tool"))


def test_what_was_printed_can_be_read_while_it_goes_on(redis: Redis) -> None:
    store = LogStore(redis)
    with JobLog(store, CLAIM) as log:
        log.write(b"\xff first ")
        log.flush()
        assert store.read_all(1, 1) == b"\xff first "
        assert store.latest("repo/x86_64/tool") == (1, 1)
        log.write(200_000 * b"x")
        assert len(store.read_all(1, 1)) == 200_008
        assert not store.read(1, 1, 200_008).ended
        log.say("done")

    assert store.read_all(1, 1).endswith(b"x==> caur-ci: done\n")
    assert store.read(1, 1, 200_030).ended


def test_a_full_log_takes_no_more(redis: Redis) -> None:
    store = LogStore(redis, max_size=100_000)
    with JobLog(store, CLAIM) as log:
        for _ in range(100):
            log.write(10_000 * b"x")

    assert len(store.read_all(1, 1)) < 200_000


def test_a_server_out_of_reach_ends_no_build_and_fills_no_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        client_of(f"unix://{tmp_path}/nobody", patience=0.1) as nobody,
        JobLog(LogStore(nobody), CLAIM) as log,
    ):
        for _ in range(300):
            log.write(100_000 * b"x")
            log.tick()
        assert len(log._waiting) < 9 * 1024 * 1024
        assert b"part of the log is missing here" in log._waiting

    assert "the end of the log of repo/x86_64/tool is lost" in caplog.text
