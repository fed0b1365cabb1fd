"""The file of the history: who may read it, and what happens when it is not what it should be."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import CaurError, TemporaryError
from scheduler.history import History, HistoryError
from scheduler.history.database import FILE
from tests.support.past import past_job

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "history"


def test_nobody_else_may_read_it(folder: Path) -> None:
    with History.open(folder) as history:
        history.record([past_job(1)])
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {f"{FILE}-wal", FILE} <= modes.keys()
    assert set(modes.values()) == {0o600}


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to("elsewhere")
    with pytest.raises(CaurError, match="in the way of the history"):
        History.open(tmp_path / "link")


def test_a_reader_sees_nothing_until_there_is_something(folder: Path) -> None:
    with History.open(folder, read_only=True) as reader:
        assert reader.latest() == []
        assert reader.highest_job() == 0
        with History.open(folder) as history:
            history.record([past_job(1)])
            assert [job.job_id for job in reader.latest()] == [1]
            history.record([past_job(2)])
            assert [job.job_id for job in reader.latest()] == [2, 1]


def test_readers_cannot_write(folder: Path) -> None:
    History.open(folder).close()
    with History.open(folder, read_only=True) as reader, pytest.raises(CaurError):
        reader.record([past_job(1)])


@pytest.mark.parametrize(("function", "read_only"), [("stat", True), ("open", False)])
def test_a_disk_that_fails_is_told_and_tried_again(
    folder: Path, function: str, read_only: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    History.open(folder).close()
    with monkeypatch.context() as patch:
        patch.setattr(os, function, _fail)
        with pytest.raises(TemporaryError, match=r"cannot be used: .* No space left"):
            History.open(folder, read_only=read_only)
    History.open(folder, read_only=read_only).close()


def _fail(*arguments: object, **options: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_one_of_a_later_version_is_left_alone(folder: Path) -> None:
    History.open(folder).close()
    with sqlite3.connect(folder / FILE) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    for read_only in (False, True):
        with pytest.raises(HistoryError, match="later version of caur-ci"):
            History.open(folder, read_only=read_only)
    assert [path.name for path in folder.glob("*damaged*")] == []


@pytest.mark.parametrize("damage", ["no database", "a hole"])
def test_a_damaged_file_is_moved_aside(
    folder: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    with History.open(folder) as history:
        history.record(past_job(number) for number in range(1, 200))
    file = folder / FILE
    content = file.read_bytes()
    hole = content[:4096] + os.urandom(len(content) - 8192) + content[-4096:]
    file.write_bytes(b"no database at all" * 500 if damage == "no database" else hole)

    with History.open(folder) as history:
        assert history.latest() == []
        history.record([past_job(1)])
        assert history.highest_job() == 1

    assert "is damaged" in caplog.text
    assert "a new history is begun" in caplog.text
    assert len(list(folder.glob(f"{FILE}.damaged-*"))) == 1


def test_damage_is_noticed_while_it_is_open(folder: Path) -> None:
    with History.open(folder, read_only=True) as reader, History.open(folder) as history:
        history.record(past_job(number) for number in range(1, 200))
        _let_the_file_be_read_again(history)
        with (folder / FILE).open("r+b") as file:
            file.seek(4096)
            file.write(os.urandom((folder / FILE).stat().st_size - 4096))
        with pytest.raises(TemporaryError, match="is damaged"):
            history.record([past_job(500)], position="1-0")
        assert history.position() == "0"
        history.record([past_job(500)], position="1-0")
        assert [job.job_id for job in reader.latest()] == [500]


def _let_the_file_be_read_again(history: History) -> None:
    connection = history._database._connection
    assert connection is not None
    for command in ("wal_checkpoint(TRUNCATE)", "shrink_memory"):
        connection.execute(f"PRAGMA {command}").fetchall()


_FULL = """
import resource, signal, sys
from pathlib import Path
from caur_ci.errors import TemporaryError
from scheduler.history import History
from tests.support.past import past_job

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with History.open(Path(sys.argv[1])) as history:
    history.record([past_job(1)], position="1-0")
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, unlimited[1]))
    try:
        history.record((past_job(number, reason="x" * 5000) for number in range(2, 90)),
                       position="2-0")
    except TemporaryError as error:
        print(error.message)
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    print(history.position(), history.highest_job())
    history.record([past_job(2)], position="3-0")
    print(history.position(), history.highest_job())
"""


def test_a_disk_that_is_full_costs_nothing_but_time(folder: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", _FULL, str(folder)], check=True, capture_output=True, text=True
    )
    said, full, later = answer.stdout.splitlines()
    assert "cannot be used" in said
    assert (full, later) == ("1-0 1", "3-0 2")
