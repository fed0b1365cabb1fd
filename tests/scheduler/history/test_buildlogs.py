"""Logs are read to the last byte, wherever they are."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caur_ci.errors import TemporaryError
from scheduler.connection import client_of
from scheduler.history import BuildLogs, History, LogArchiver, archive
from scheduler.history import archiver as archiving
from scheduler.history.archive import LogArchive
from scheduler.history.logfile import LogHeading
from scheduler.logs import LogStore
from scheduler.queue import Queue
from tests.support.killing import killed_at
from tests.support.queue import claimed, job, submit

if TYPE_CHECKING:
    from redis import Redis

IDENTITY = "repo/x86_64/a"
DAY = 24 * 3600.0


def written(store: LogStore, job_id: int, text: bytes, *, attempt: int = 1) -> None:
    store.start(job_id, attempt, IDENTITY)
    store.append(job_id, attempt, text)
    store.finish(job_id, attempt)


def read_all(logs: BuildLogs, job_id: int, attempt: int = 1, *, limit: int = 1000) -> bytes:
    read, ended = bytearray(), False
    while not ended:
        chunk = logs.read(job_id, attempt, len(read), limit=limit)
        assert chunk.data or chunk.ended
        read += chunk.data
        ended = chunk.ended
    return bytes(read)


def test_a_log_that_has_ended_outlives_redis(
    redis: Redis, store: LogStore, archiver: LogArchiver, logs: BuildLogs
) -> None:
    written(store, 1, b"==> first\r\n")
    store.start(2, 1, IDENTITY)
    store.append(2, 1, b"second, and on")

    archiver.look()
    before = logs.of_package(IDENTITY)
    redis.flushall()

    assert [(log.job_id, log.size, log.ended, log.kept) for log in before] == [
        (1, 11, True, True),
        (2, 14, False, False),
    ]
    (left,) = logs.of_package(IDENTITY)
    assert left == before[0] == logs.entry(1, 1)
    assert read_all(logs, 1) == b"==> first\r\n"
    assert logs.read(2, 1).data == b""
    assert logs.size(2, 1) == 0


def test_what_is_dropped_is_read_on_from_disk(
    redis: Redis, store: LogStore, archiver: LogArchiver, logs: BuildLogs
) -> None:
    written(store, 1, b"0123456789")
    archiver.look()
    assert not store.drop(1, 1, 9)
    assert store.drop(1, 1, 10)
    assert redis.strlen("{caur}:log:1:1") == 0

    assert read_all(logs, 1, limit=3) == b"0123456789"
    assert logs.read(1, 1, 10).ended
    # Who does not reach the disk learns that something is missing.
    chunk = store.read(1, 1, 0)
    assert (chunk.offset, chunk.data, chunk.ended) == (10, b"", True)


def test_a_log_goes_on_where_it_was_dropped(
    store: LogStore, archiver: LogArchiver, logs: BuildLogs
) -> None:
    written(store, 1, b"handed back, ")
    archiver.look()
    assert store.drop(1, 1, 13)
    store.start(1, 1, IDENTITY)
    store.append(1, 1, b"and on, ")
    assert not logs.read(1, 1, 13).ended
    assert logs.read(1, 1, 13).data == b"and on, "
    assert logs.read(1, 1, 0).data == b"handed back, "
    assert not logs.read(1, 1, 0).ended
    assert not store.drop(1, 1, 21)
    store.append(1, 1, b"to the end")
    store.finish(1, 1)

    archiver.look()

    assert store.drop(1, 1, 31)
    assert read_all(logs, 1) == b"handed back, and on, to the end"
    (log,) = logs.of_package(IDENTITY)
    assert (log.size, log.ended, log.kept) == (31, True, True)


def test_old_logs_leave_redis_and_others_if_there_is_little_room(
    redis: Redis, queue: Queue, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LogStore(redis, max_total=50)
    archiver = LogArchiver(queue, store, history)
    for job_id in (1, 2, 3):
        written(store, job_id, b"0123456789")
    archiver.look()

    archiver.drop()
    sizes = [redis.strlen(f"{{caur}}:log:{job_id}:1") for job_id in (1, 2, 3)]
    assert sizes == [0, 10, 10]  # until they have no more than a half of the room

    monkeypatch.setattr(archiving, "_GRACE", -1.0)
    archiver.drop()
    sizes = [redis.strlen(f"{{caur}}:log:{job_id}:1") for job_id in (1, 2, 3)]
    assert sizes == [0, 0, 0]
    assert read_all(BuildLogs(store, history), 2) == b"0123456789"


def test_a_log_whose_writer_died_ends_as_well(
    queue: Queue, store: LogStore, history: History
) -> None:
    now = [0.0]
    archiver = LogArchiver(queue, store, history, clock=lambda: now[0])
    submit(queue, job("a"))
    claim = claimed(queue)
    store.start(claim.job_id, 1, claim.identity)
    store.append(claim.job_id, 1, b"text")
    store.start(claim.job_id + 7, 1, claim.identity)
    store.append(claim.job_id + 7, 1, b"of a job that is gone")

    for _ in range(3):
        archiver.look()
        now[0] += 400.0

    extents = store.extents(store.names())
    assert [extent.ended for extent in extents] == [False, True]


def test_of_workers_that_do_not_say_whose_a_log_is_the_queue_knows(
    redis: Redis,
    queue: Queue,
    store: LogStore,
    archiver: LogArchiver,
    history: History,
    caplog: pytest.LogCaptureFixture,
) -> None:
    submit(queue, job("a"))
    claim = claimed(queue)
    for job_id in (claim.job_id, 77):
        written(store, job_id, b"text")
        redis.delete(f"{{caur}}:log-identity:{job_id}:1")

    archiver.look()
    archiver.look()

    assert [log.job_id for log in history.logs.of_package(IDENTITY)] == [claim.job_id]
    assert caplog.text.count("job 77, attempt 1, cannot be kept: nobody knows whose it is") == 1


def test_logs_are_found_again_without_their_index(
    redis: Redis, queue: Queue, store: LogStore, archiver: LogArchiver, history: History
) -> None:
    for job_id, text in ((1, b"first"), (2, b"second"), (3, b"third")):
        written(store, job_id, text)
    archiver.look()
    folder = history.path / archive.FOLDER
    (folder / "0" / "5-1-9.log.zst.new").write_bytes(b"what somebody was about to write")
    (folder / "0" / "6-1-9.log.zst").write_bytes(b"no log at all")
    first, second, _ = history.logs.of_package(IDENTITY)
    history.logs.remove([first])
    (folder / second.path).unlink()
    redis.flushall()

    LogArchiver(queue, store, history).look()

    logs = BuildLogs(None, history)
    assert read_all(logs, 1) == b"first"
    assert read_all(logs, 3) == b"third"
    assert logs.entry(2, 1) is None
    assert list(folder.glob("*/*.new")) == []


def test_a_number_that_comes_again_overwrites_no_log(
    redis: Redis, store: LogStore, archiver: LogArchiver, logs: BuildLogs, history: History
) -> None:
    written(store, 1, b"before redis was lost, and long")
    archiver.look()
    redis.flushall()
    written(store, 1, b"after")
    archiver.look()
    archiver.drop()

    assert read_all(logs, 1) == b"after"
    assert read_all(BuildLogs(None, history), 1) == b"after"
    assert len(list((history.path / archive.FOLDER).glob("*/*"))) == 2


def test_redis_out_of_reach_hides_no_log_that_is_on_disk(
    store: LogStore, archiver: LogArchiver, history: History, tmp_path: Path
) -> None:
    written(store, 1, b"text")
    archiver.look()
    with client_of(f"unix://{tmp_path}/nobody", patience=0.1) as nobody:
        logs = BuildLogs(LogStore(nobody), history)
        assert read_all(logs, 1) == b"text"
        with pytest.raises(TemporaryError):
            logs.read(2, 1)


def test_a_log_that_goes_while_it_is_read_is_not_kept_by_half(history: History) -> None:
    heading = LogHeading(job_id=1, attempt=1, identity=IDENTITY, started=1.0)
    shelf = LogArchive(history)
    with pytest.raises(TemporaryError, match="went while it was read"):
        shelf.keep(heading, lambda offset: b"" if offset else b"half", least=10)
    assert shelf.get(1, 1) is None
    assert list((history.path / archive.FOLDER).glob("*/*")) == []


def test_logs_are_removed_by_age_and_size(history: History) -> None:
    shelf = LogArchive(history)
    content = os.urandom(10_000)
    for number in range(1, 5):
        heading = LogHeading(job_id=number, attempt=1, identity=IDENTITY, started=number * DAY)
        shelf.keep(heading, lambda offset: content[offset:])
    orphan = history.path / archive.FOLDER / "0" / "9-1-1.log.zst"
    orphan.write_bytes(b"old")
    os.utime(orphan, (DAY, DAY))

    removed = shelf.prune(days=2, largest=25_000, now=3.5 * DAY)

    assert removed == 2
    assert [log.job_id for log in history.logs.of_package(IDENTITY)] == [3, 4]
    assert len(list((history.path / archive.FOLDER).glob("*/*"))) == 2
    chunk = BuildLogs(None, history).read(1, 1)
    assert (chunk.data, chunk.ended) == (b"", False)


_FULL = """
import resource, signal, sys
from pathlib import Path
from caur_ci.errors import TemporaryError
from scheduler.history import BuildLogs, History
from scheduler.history.archive import LogArchive
from scheduler.history.logfile import LogHeading

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
content = Path("/dev/urandom").open("rb").read(300_000)
heading = LogHeading(job_id=1, attempt=1, identity="repo/x86_64/a", started=1.0)
with History.open(Path(sys.argv[1])) as history:
    shelf, limit = LogArchive(history), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limit[1]))
    try:
        shelf.keep(heading, lambda offset: content[offset:])
    except TemporaryError as error:
        print(error.message)
    print([path.name for path in Path(sys.argv[1]).glob("logs/*/*")])
    resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    shelf.keep(heading, lambda offset: content[offset:])
    print(BuildLogs(None, history).read(1, 1).data == content)
"""


def test_a_full_disk_is_told_and_tried_again(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", _FULL, str(tmp_path / "history")],
        check=True,
        capture_output=True,
        text=True,
    )
    said, left, then = answer.stdout.splitlines()
    assert said.startswith("the log of repo/x86_64/a cannot be kept")
    assert (left, then) == ("[]", "True")


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.binary(min_size=1, max_size=40)),
        st.tuples(st.just("read"), st.integers(1, 30)),
        st.tuples(st.sampled_from(["settle", "end", "archive", "drop"]), st.none()),
        st.tuples(st.sampled_from(["settle", "restart", "join"]), st.none()),
    ),
    min_size=8,
    max_size=25,
)


class _World:
    """A log, those who write, keep and read it, and what they know."""

    def __init__(self, redis: Redis, folder: Path) -> None:
        redis.flushall()
        self._redis, self._folder = redis, folder
        self._store = LogStore(redis)
        self.written = bytearray()
        self.is_open = False
        self.readers: list[bytearray] = [bytearray()]
        self._history: History | None = None
        self.restart()

    def restart(self) -> None:
        self.close()
        self._history = History.open(self._folder)
        self._archiver = LogArchiver(Queue(self._redis), self._store, self._history)
        self.logs = BuildLogs(self._store, self._history)

    def close(self) -> None:
        if self._history is not None:
            self._history.close()

    def append(self, data: bytes) -> None:
        if not self.is_open:
            self._store.start(1, 1, IDENTITY)
            self.is_open = True
        self._store.append(1, 1, data)
        self.written += data

    def end(self) -> None:
        if self.is_open:
            self._store.finish(1, 1)
            self.is_open = False

    def archive(self) -> None:
        self._archiver.look()

    def drop(self) -> None:
        self._store.drop(1, 1, self.logs.size(1, 1)) if self._kept() else None

    def settle(self) -> None:
        for step in (self.end, self.archive, self.drop):
            step()

    def _kept(self) -> bool:
        entry = self.logs.entry(1, 1)
        return entry is not None and entry.kept

    def _is_at_end(self, reader: bytearray) -> bool:
        return len(reader) == len(self.written) > 0 and not self.is_open

    def join(self) -> None:
        self.readers.append(bytearray())

    def read(self, limit: int) -> None:
        for reader in self.readers:
            chunk = self.logs.read(1, 1, len(reader), limit=limit)
            reader.extend(chunk.data)
            assert self.written.startswith(reader)
            assert chunk.next_offset == len(reader)
            assert chunk.ended == self._is_at_end(reader)


@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(steps=_STEPS)
def test_every_reader_sees_every_byte_once(
    redis: Redis, steps: list[tuple[str, bytes | int | None]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = _World(redis, Path(folder) / "history")
        try:
            for step, argument in steps:
                getattr(world, step)(*([] if argument is None else [argument]))
            world.append(b".")
            world.end()
            while min(map(len, world.readers)) < len(world.written):
                world.read(50)
            assert {bytes(reader) for reader in world.readers} == {bytes(world.written)}
            world.archive()
            redis.flushall()
            assert read_all(world.logs, 1) == world.written
        finally:
            world.close()


def _keep_and_prune(folder: Path, content: bytes, *, largest: int) -> None:
    with History.open(folder) as history:
        shelf = LogArchive(history)
        shelf.recover()
        heading = LogHeading(job_id=1, attempt=1, identity=IDENTITY, started=DAY)
        shelf.keep(heading, lambda offset: content[offset:])
        shelf.prune(days=10_000, largest=largest, now=DAY)


@pytest.mark.parametrize("largest", [10**6, 0], ids=["kept", "pruned"])
def test_whoever_is_killed_at_any_step_leaves_what_can_be_gone_on_with(
    tmp_path: Path, largest: int
) -> None:
    step, killed = 0, True
    while killed:
        step += 1
        folder = tmp_path / str(step)
        _keep_and_prune(folder, b"first, ", largest=10**6)
        last = partial(_keep_and_prune, folder, b"first, and on", largest=largest)
        killed = killed_at(step, last)
        with History.open(folder) as history:
            LogArchive(history).recover()
            chunk = BuildLogs(None, history).read(1, 1)
            assert chunk.data in {b"", b"first, ", b"first, and on"}
            assert chunk.data or not largest
        last()
        files = list(folder.glob("logs/*/*"))
        with History.open(folder, read_only=True) as history:
            assert len(history.logs.paths()) == len(files) == (1 if largest else 0)
            kept = b"first, and on" if largest else b""
            assert BuildLogs(None, history).read(1, 1).data == kept
    assert step > 5
