"""`caur-ci status` against a real queue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.queue_reasons import queue_reasons
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from scheduler.history import History
from scheduler.job import Outcome
from tests.support.past import START, past_job
from tests.support.queue import claimed, job, submit, worker

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.queue import Queue


@pytest.fixture
def busy(queue: Queue) -> Queue:
    """One job running, one ready, one waiting, one failed."""
    me = worker("bigbox", 3)
    submit(queue, job("bad"), job("lib"), job("app", "lib"), job("heavy", build_class="9"))
    queue.finish(claimed(queue, me), Outcome.FAILED, "[red]exit\x1b[2J code 4\nmore")
    claimed(queue, me)
    return queue


def _status(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["status", *arguments], Session()) == ExitCode.OK
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_it_shows_who_works_what_runs_what_waits_and_why(
    busy: Queue, redis_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    out = _status(capsys, "--redis", redis_url)
    lines = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert "bigbox-" in out
    assert "building" in lines["repo/x86_64/lib"]
    assert "waits for a worker of class 9 or higher" in lines["repo/x86_64/heavy"]
    assert "waits for repo/x86_64/lib (being built)" in lines["repo/x86_64/app"]
    assert "failed" in lines["repo/x86_64/bad"]


def test_reasons_cannot_steer_the_terminal(
    busy: Queue, redis_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    out = _status(capsys, "--redis", redis_url)
    assert "[red]exit code 4" in out
    assert "\x1b[2J" not in out


def test_json_is_complete_and_nothing_else(
    busy: Queue, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data = json.loads(_status(capsys, "--json", "--redis", redis_url))
    assert [view["identity"] for view in data["active"]] == ["repo/x86_64/lib"]
    assert [view["identity"] for view in data["waiting"]] == ["repo/x86_64/app"]
    assert [view["outcome"] for view in data["recent"]] == ["FAILED"]
    assert data["total_ready"] == 1
    assert data["workers"][0]["build_class"] == 3


def test_by_the_history_one_knows_when_a_build_will_have_ended(
    busy: Queue,
    redis_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("HISTORY_PATH", str(tmp_path / "history"))
    with History.open(tmp_path / "history") as history:
        history.record([past_job(900, "lib", started=START, landed=START + 2 * 3600)])

    out = _status(capsys, "--redis", redis_url)
    data = json.loads(_status(capsys, "--json", "--redis", redis_url))
    assert run(["why", "lib", "--redis", redis_url], Session()) == ExitCode.OK
    why = capsys.readouterr().out

    lines = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert lines["repo/x86_64/lib"].rstrip().endswith("in 1 h")
    assert data["forecasts"] == {"repo/x86_64/lib": 7200.0}
    assert "the end is to be expected in 1 h" in why


def test_a_build_that_takes_longer_than_expected_is_told_so(busy: Queue) -> None:
    explanation = busy.explain(job("lib").identity)
    assert explanation is not None
    said = [reason.text for reason in queue_reasons(explanation, None, [], "13 s ago")]
    assert "by its earlier builds, the end was to be expected 13 s ago" in said


def test_a_history_that_cannot_be_read_is_left_out(
    busy: Queue,
    redis_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("HISTORY_PATH", str(tmp_path))
    (tmp_path / "history.sqlite").write_text("no database at all" * 500)
    assert run(["status", "--redis", redis_url], Session()) == ExitCode.OK
    captured = capsys.readouterr()
    assert "building" in captured.out
    assert "the history is left out" in captured.err


def test_an_empty_queue_is_shown_too(
    queue: Queue, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "Running: 0" in _status(capsys, "--redis", redis_url)


def test_a_server_that_does_not_answer_is_a_temporary_failure(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["status", "--redis", "unix:///nowhere/redis.sock"], Session()) == (
        ExitCode.TEMPORARY
    )
    assert "/nowhere/redis.sock" in capsys.readouterr().err
