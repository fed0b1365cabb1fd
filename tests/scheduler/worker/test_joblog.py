"""A build's log on its way to Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.connection import client_of
from scheduler.logs import LogStore
from scheduler.queue import Claim
from scheduler.worker import joblog
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
        log.write(200_000 * b"x" + b"\n")
        assert len(store.read_all(1, 1)) == 200_009
        assert not store.read(1, 1, 200_009).ended
        log.say("done")

    assert store.read_all(1, 1).endswith(b"x\n==> caur-ci: done\n")
    assert store.read(1, 1, 200_030).ended


def test_secrets_do_not_get_into_it(redis: Redis) -> None:
    store = LogStore(redis)
    with JobLog(store, CLAIM, secrets=["s3cret-password"]) as log:
        for part in (b"first s3cret-", b"pass", b"word, https://me:", b"other@example.org glpat-"):
            log.write(part)
            log.flush()
        log.write(b"0123456789abcdefghij")
    assert store.read_all(1, 1) == b"first ***, https://***@example.org ***"


def test_what_is_cut_for_want_of_room_has_no_part_of_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joblog, "_KEPT", 200_000)
    with client_of(f"unix://{tmp_path}/nobody", patience=0.1) as nobody:
        log = JobLog(LogStore(nobody), CLAIM, secrets=["s3cret-password"])
        for _ in range(60):
            log.write(b"s3cret-password " * 700)
    assert len(log._waiting) < 300_000
    assert b"assw" not in log._waiting


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
