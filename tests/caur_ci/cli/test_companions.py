"""What runs beside the database runner."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli import companions as module
from caur_ci.cli.companions import companions
from caur_ci.cli.history_access import history_settings
from caur_ci.cli.session import Session
from caur_ci.errors import ConfigError
from scheduler import following
from scheduler.history import BuildLogs, History, archiver
from scheduler.job import Outcome
from scheduler.logs import LogStore
from scheduler.settings import DatabaseSettings
from tests.support.queue import claimed, eventually, job, submit

if TYPE_CHECKING:
    from redis import Redis

    from scheduler.queue import Queue


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait longer than a test has to."""
    monkeypatch.setattr(following, "_WAIT", 0.1)
    monkeypatch.setattr(archiver, "_LOOKED_SOON", 0.1)


@pytest.fixture
def settings(tmp_path: Path) -> DatabaseSettings:
    return DatabaseSettings(
        source_repos={},
        target_repos={},
        allowed_workers=tmp_path / "allowed_workers",
        cache=tmp_path / "cache",
        repo_path=tmp_path / "www",
        landing_zone=tmp_path / "landing",
        gpg_home=tmp_path / "gnupg",
    )


def fail(queue: Queue, redis: Redis, name: str) -> int:
    submit(queue, job(name))
    claim = claimed(queue)
    store = LogStore(redis)
    store.start(claim.job_id, 1, claim.identity)
    store.append(claim.job_id, 1, b"==> ERROR\n")
    queue.finish(claim, Outcome.FAILED, "exit code 4")
    store.finish(claim.job_id, 1)
    return claim.job_id


def test_jobs_and_logs_get_into_the_history(
    queue: Queue, redis: Redis, settings: DatabaseSettings, tmp_path: Path
) -> None:
    environment = {"HISTORY_PATH": str(tmp_path / "history")}
    earlier = fail(queue, redis, "earlier")
    with (
        companions(Session(), settings, redis, environment),
        History.open(tmp_path / "history", read_only=True) as history,
    ):
        later = fail(queue, redis, "later")
        eventually(lambda: history.job(later) is not None and history.job(earlier) is not None)
        logs = BuildLogs(None, history)
        eventually(lambda: logs.size(later, 1) == logs.size(earlier, 1) == 10)
    # Somebody else may write it now.
    History.open(tmp_path / "history").close()


def test_who_comes_second_waits_for_its_turn(
    queue: Queue,
    redis: Redis,
    settings: DatabaseSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    job_id = fail(queue, redis, "tool")
    first = History.open(tmp_path / "history")
    with companions(Session(), settings, redis, {"HISTORY_PATH": str(first.path)}):
        eventually(lambda: "another process writes the history" in caplog.text)
        assert first.latest() == []
        first.close()
        with History.open(first.path, read_only=True) as history:
            eventually(lambda: history.job(job_id) is not None)


def test_a_history_that_cannot_be_used_stops_nothing_and_is_tried_again(
    queue: Queue,
    redis: Redis,
    settings: DatabaseSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    job_id = fail(queue, redis, "tool")
    place = tmp_path / "history"
    place.write_text("a file")
    with companions(Session(), settings, redis, {"HISTORY_PATH": str(place)}):
        eventually(lambda: "no history is written" in caplog.text)
        place.unlink()
        with History.open(place, read_only=True) as history:
            eventually(lambda: history.job(job_id) is not None)
    assert caplog.text.count("no history is written") == 1


def test_a_history_is_not_for_readers_of_the_repositories(settings: DatabaseSettings) -> None:
    for folder in ("", "repo/history", "../www/history"):
        path = Path(settings.repo_path) / folder
        with pytest.raises(ConfigError, match="is served to everybody"):
            history_settings({"HISTORY_PATH": str(path)}, settings)
    other = replace(settings, repo_path=settings.repo_path / "further")
    assert history_settings({"HISTORY_PATH": str(settings.repo_path)}, other).days == 400
