"""A history, and the logs that it keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scheduler.history import BuildLogs, History, LogArchiver
from scheduler.logs import LogStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from redis import Redis

    from scheduler.queue import Queue


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with History.open(tmp_path / "history") as opened:
        yield opened


@pytest.fixture
def store(redis: Redis) -> LogStore:
    return LogStore(redis)


@pytest.fixture
def archiver(queue: Queue, store: LogStore, history: History) -> LogArchiver:
    return LogArchiver(queue, store, history)


@pytest.fixture
def logs(store: LogStore, history: History) -> BuildLogs:
    return BuildLogs(store, history)
