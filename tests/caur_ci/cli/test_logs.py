"""`caur-ci logs` against a real queue and its log store."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli import log_output
from caur_ci.cli.log_output import LogOutput, follow_log
from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from scheduler.history import History, LogArchiver
from scheduler.job import Outcome
from scheduler.logs import LogStore
from scheduler.queue import Backoff, Queue
from tests.support.queue import Background, claimed, eventually, job, submit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from redis import Redis

    from scheduler.queue import Claim


@pytest.fixture
def store(redis: Redis) -> LogStore:
    return LogStore(redis)


def begin(queue: Queue, store: LogStore, text: bytes, name: str = "tool") -> Claim:
    submit(queue, job(name))
    return go_on(claimed(queue), store, text)


def go_on(claim: Claim, store: LogStore, text: bytes) -> Claim:
    store.start(claim.job_id, claim.attempt, claim.identity)
    store.append(claim.job_id, claim.attempt, text)
    return claim


def end(queue: Queue, store: LogStore, claim: Claim) -> None:
    store.finish(claim.job_id, claim.attempt)
    queue.finish(claim, Outcome.FAILED)


class Logs:
    """Runs `caur-ci logs` with standard output as a pipe."""

    def __init__(self, redis_url: str, capfd: pytest.CaptureFixture[str]) -> None:
        self._url = redis_url
        self._capfd = capfd
        self.err = ""

    def __call__(self, *arguments: str, expect: ExitCode = ExitCode.OK) -> str:
        code = run(["logs", *arguments, "--redis", self._url], Session())
        captured = self._capfd.readouterr()
        self.err = captured.err
        assert code == expect, captured
        return captured.out


@pytest.fixture
def kept(
    queue: Queue, store: LogStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LogArchiver]:
    """Return what moves logs to the history that commands look at."""
    monkeypatch.setenv("HISTORY_PATH", str(tmp_path / "history"))
    with History.open(tmp_path / "history") as history:
        yield LogArchiver(queue, store, history)


@pytest.fixture
def logs(redis_url: str, capfd: pytest.CaptureFixture[str]) -> Logs:
    return Logs(redis_url, capfd)


def test_the_latest_log_of_a_package_while_it_runs_and_afterwards(
    queue: Queue, store: LogStore, logs: Logs
) -> None:
    claim = begin(queue, store, b"so far\n")
    assert logs("tool") == "so far\n"
    store.append(claim.job_id, claim.attempt, b"and to its end\n")
    end(queue, store, claim)

    for name in ("tool", "repo/tool", "repo/x86_64/tool", str(claim.job_id)):
        assert logs(name) == "so far\nand to its end\n"
    assert logs("tool", "--follow") == "so far\nand to its end\n"


def test_each_attempt_has_its_own(redis: Redis, store: LogStore, logs: Logs) -> None:
    queue = Queue(redis, backoff=Backoff(first=0.0))
    first = begin(queue, store, b"first\n")
    queue.retry_later(first, "no luck")
    second = go_on(claimed(queue), store, b"second\n")

    assert (second.job_id, second.attempt) == (first.job_id, 2)
    assert logs("tool") == "second\n"
    assert logs("tool", "--attempt", "1") == "first\n"
    assert logs(str(first.job_id), "--attempt", "2") == "second\n"
    logs("tool", "--attempt", "7", expect=ExitCode.FAILED)
    assert "no log of attempt 7 of repo/x86_64/tool" in logs.err


def test_which_there_are(queue: Queue, store: LogStore, logs: Logs) -> None:
    first = begin(queue, store, b"12345")
    end(queue, store, first)
    second = begin(queue, store, b"123")

    lines = logs("tool", "--list").splitlines()
    assert f"job {first.job_id}  attempt 1  5 bytes" in lines[0]
    assert f"job {second.job_id}  attempt 1  3 bytes  (not ended)" in lines[1]
    listed = json.loads(logs("tool", "--list", "--json"))
    assert [(entry["job_id"], entry["size"], entry["ended"]) for entry in listed] == [
        (first.job_id, 5, True),
        (second.job_id, 3, False),
    ]


def test_a_log_is_shown_after_redis_was_lost(
    queue: Queue, store: LogStore, logs: Logs, redis: Redis, kept: LogArchiver
) -> None:
    first = begin(queue, store, b"the first\n")
    end(queue, store, first)
    end(queue, store, begin(queue, store, b"the second\n"))
    end(queue, store, begin(queue, store, b"another\n", "other"))
    kept.look()
    redis.flushall()

    assert logs("tool") == "the second\n"
    assert logs("tool", "--follow") == "the second\n"
    for name in (("repo/tool", "--job", "1"), ("1",), ("repo/x86_64/tool", "--job", "1")):
        assert logs(*name) == "the first\n"
    assert logs("tool", "--list").count("attempt 1") == 2
    logs("elsewhere/tool", expect=ExitCode.FAILED)
    logs("99", expect=ExitCode.FAILED)
    assert "knows no job or package 99" in logs.err


def test_a_name_that_the_history_knows_twice_is_asked_for(
    queue: Queue, store: LogStore, logs: Logs, redis: Redis, kept: LogArchiver
) -> None:
    end(queue, store, begin(queue, store, b"here\n"))
    submit(queue, job("tool", target_repo="other"))
    end(queue, store, go_on(claimed(queue), store, b"there\n"))
    kept.look()
    redis.flushall()
    logs("tool", expect=ExitCode.FAILED)
    assert "tool may be other/x86_64/tool, or repo/x86_64/tool" in logs.err
    assert logs("other/tool") == "there\n"


def test_without_the_disk_one_is_told_what_is_missing(
    queue: Queue, store: LogStore, logs: Logs, kept: LogArchiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = begin(queue, store, b"dropped\n")
    store.finish(claim.job_id, 1)
    kept.look()
    store.drop(claim.job_id, 1, 8)
    go_on(claim, store, b"and on\n")
    assert logs("tool") == "dropped\nand on\n"
    monkeypatch.setenv("HISTORY_PATH", "/nonexistent")
    assert logs("tool") == "and on\n"
    assert "the first 8 bytes are not here" in logs.err


def test_what_there_is_none_of(queue: Queue, logs: Logs) -> None:
    submit(queue, job("tool"))
    logs("tool", expect=ExitCode.FAILED)
    assert "there is no log of repo/x86_64/tool" in logs.err
    assert logs("tool", "--list", expect=ExitCode.FAILED).strip() == ""
    logs("unknown", expect=ExitCode.FAILED)
    assert "knows no job or package unknown" in logs.err
    logs("tol", expect=ExitCode.FAILED)
    assert "Did you mean tool?" in logs.err


def test_a_log_is_followed_from_before_its_beginning(queue: Queue, store: LogStore) -> None:
    submit(queue, job("tool"))
    shown = io.BytesIO()
    following = Background(
        lambda: follow_log(
            lambda: store.of_package("repo/x86_64/tool"),
            queue,
            store,
            LogOutput(shown, is_terminal=False),
            follow=True,
        )
    )
    claim = go_on(claimed(queue), store, b"one ")
    eventually(lambda: shown.getvalue() == b"one ")
    store.append(claim.job_id, claim.attempt, b"two")
    store.finish(claim.job_id, claim.attempt)
    following.result()
    assert shown.getvalue() == b"one two"


def test_the_log_of_a_worker_that_died_comes_to_an_end(
    queue: Queue, store: LogStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_output, "_ASKED_EVERY", 0.0)
    claim = begin(queue, store, b"cut off")
    shown = io.BytesIO()
    following = Background(
        lambda: follow_log(
            lambda: store.of_package(claim.identity),
            queue,
            store,
            LogOutput(shown, is_terminal=False),
            follow=True,
        )
    )
    eventually(lambda: shown.getvalue() == b"cut off")
    queue.release(claim)
    following.result()


HOSTILE = b"\x1b]0;title\x07\x1b[2J\x1b[31mred\x1b[0m \xff\x9b2J 10%\r20%\n\x1b[?1049hend"


def test_into_a_pipe_it_goes_byte_for_byte() -> None:
    shown = io.BytesIO()
    output = LogOutput(shown, is_terminal=False)
    output.write(HOSTILE)
    output.close()
    assert shown.getvalue() == HOSTILE


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_on_a_terminal_only_colours_are_left(step: int) -> None:
    shown = io.BytesIO()
    output = LogOutput(shown, is_terminal=True)
    for place in range(0, len(HOSTILE), step):
        output.write(HOSTILE[place : place + step])
    output.close()
    assert shown.getvalue().decode() == (
        "\x1b[31mred\x1b[0m \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}2J 10%\r20%\nend"
    )
