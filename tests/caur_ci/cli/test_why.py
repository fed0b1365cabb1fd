"""`caur-ci why` against a real queue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from scheduler.history import History, PublishedFile
from scheduler.job import FailureClass, OnFailure, Outcome
from scheduler.logs import LogStore
from scheduler.queue import Backoff, Queue
from tests.support.past import past_job
from tests.support.queue import claimed, eventually, job, submit, worker

if TYPE_CHECKING:
    from pathlib import Path

    from redis import Redis


class Why:
    """Runs `caur-ci why` and keeps what it said."""

    def __init__(self, redis_url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self._redis_url = redis_url
        self._capsys = capsys
        self.err = ""

    def __call__(self, package: str, *options: str, expect: ExitCode = ExitCode.OK) -> str:
        code = run(["why", package, *options, "--redis", self._redis_url], Session())
        captured = self._capsys.readouterr()
        self.err = captured.err
        assert code == expect, captured
        return captured.out

    def json(self, package: str, expect: ExitCode = ExitCode.OK) -> Any:  # noqa: ANN401
        return json.loads(self(package, "--json", expect=expect))


@pytest.fixture
def why(redis_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Why:
    monkeypatch.setenv("COLUMNS", "200")
    return Why(redis_url, capsys)


def test_a_package_that_the_queue_does_not_know(queue: Queue, why: Why) -> None:
    submit(queue, job("plumbline-git"))
    assert why("plumblne-git", expect=ExitCode.FAILED) == ""
    assert "knows nothing about plumblne-git" in why.err
    assert "Did you mean plumbline-git?" in why.err
    data = why.json("plumblne-git", expect=ExitCode.FAILED)
    assert data["identity"] is None
    assert data["findings"] == []


def test_a_name_of_several_packages(queue: Queue, why: Why) -> None:
    submit(queue, job("tool"), job("tool", target_repo="testing"))
    why("tool", expect=ExitCode.FAILED)
    assert "repo/x86_64/tool" in why.err
    assert "testing/x86_64/tool" in why.err
    assert "testing/x86_64/tool" in why("testing/tool")


def test_who_blocks_it_is_a_tree(queue: Queue, why: Why) -> None:
    submit(
        queue,
        job("base", provides=("libbase.so",), build_class="9"),
        job("lib", "libbase.so"),
        job("app", "lib", "other"),
        job("other"),
    )
    claimed(queue)
    lines = why("app").splitlines()
    depth = {
        line.split("repo/x86_64/")[1].split()[0]: line.index("repo/x86_64/")
        for line in lines
        if "(job" in line and "repo/x86_64/" in line
    }
    assert depth["base"] > depth["lib"] == depth["other"]
    (base,) = [line for line in lines if "repo/x86_64/base (job" in line]
    assert "provides libbase.so" in base
    assert any("repo/x86_64/other (job" in line and "building" in line for line in lines)


def test_no_worker_of_that_class(queue: Queue, why: Why) -> None:
    queue.claim(worker("small", 2))
    submit(queue, job("heavy", build_class="9"))
    assert "class 9" in why("heavy")


def test_a_worker_that_is_to_end_is_none(queue: Queue, why: Why) -> None:
    me = worker("bigbox", 9)
    queue.claim(me)
    queue.drain()
    submit(queue, job("heavy", build_class="9"), job("own", build_class="bigbox"))
    for package in ("heavy", "own"):
        assert f"workers that could build it were asked to end: {me.id}" in why(package)


def test_a_running_package_and_its_successor(queue: Queue, why: Why) -> None:
    submit(queue, job("tool"))
    failure = FailureClass.STALLED
    queue.finish(claimed(queue), Outcome.TIMED_OUT, "it took longer than 1 s", failure=failure)
    submit(queue, job("tool"))
    claimed(queue, worker("bigbox"))
    submit(queue, job("tool"))
    out = why("tool")
    assert "being built by bigbox-" in out
    assert "its own earlier build" in out
    assert "timed out (stalled), it took longer than 1 s" in out


def test_a_pause_with_its_reason(queue: Queue, why: Why) -> None:
    submit(queue, job("tool"))
    queue.pause("disk full")
    assert "disk full" in why("tool")


def test_a_failed_dependency_that_holds_it(queue: Queue, why: Why) -> None:
    submit(queue, job("lib"), job("app", "lib", on_failure=OnFailure.HOLD))
    queue.finish(claimed(queue), Outcome.FAILED, "exit code 4")
    out = why("app")
    assert "held" in out.lower()
    assert "repo/x86_64/lib" in out


def test_a_lost_worker_delays_it(redis: Redis, why: Why) -> None:
    queue = Queue(redis, lease=0.01, backoff=Backoff(first=600.0))
    submit(queue, job("tool"))
    claimed(queue)
    eventually(lambda: bool(queue.reap()))
    data = why.json("tool")
    assert data["queue"]["pending"]["delayed_until"] > 0
    assert "not handed out before" in why("tool")


def test_quarantine_with_its_reason(redis: Redis, why: Why) -> None:
    queue = Queue(redis, lease=0.01, backoff=Backoff(losses=1))
    submit(queue, job("tool"))
    claimed(queue)
    eventually(lambda: bool(queue.reap()))
    assert "quarantine" in why("tool")


def test_the_latest_result_and_its_log(queue: Queue, redis: Redis, why: Why) -> None:
    submit(queue, job("tool"))
    claim = claimed(queue)
    LogStore(redis).start(claim.job_id, claim.attempt, claim.identity)
    queue.finish(claim, Outcome.FAILED, "exit code 4\x1b[2J\nand more")

    out = why("tool")

    assert "failed, exit code 4" in out
    assert "\x1b" not in out
    assert f"job {claim.job_id}, attempt 1" in out
    assert why.json("tool")["log"] == {"job_id": claim.job_id, "attempt": 1}


def test_what_the_queue_forgot_the_history_tells(
    why: Why, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HISTORY_PATH", str(tmp_path / "history"))
    file = PublishedFile(name="tool", version="1:2-3", filename="tool.pkg.tar.zst", size=1)
    failed = {"outcome": Outcome.FAILED, "failure": FailureClass.CHECK, "reason": "exit code 4"}
    with History.open(tmp_path / "history") as history:
        history.record(
            [
                past_job(7, "tool", files=(file,)),
                past_job(9, "tool", **failed),
                past_job(-1, "old", files=(file,)),
            ]
        )

    out = why("repo/tool")

    assert "the queue has forgotten repo/x86_64/tool; its last job, 9, ended " in out
    assert "failed (check), exit code 4" in out
    assert ": tool 1:2-3" in out
    assert "only what they published is known" in why("old")
    (finding,) = why.json("tool")["findings"]
    assert (finding["source"], len(finding["because"])) == ("history", 1)
    why("other/tool", expect=ExitCode.FAILED)


def test_long_reasons_are_shown_in_full(
    queue: Queue, why: Why, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    submit(queue, job("tool"))
    reason = " ".join(f"word{number}" for number in range(30))
    queue.finish(claimed(queue), Outcome.FAILED, reason)
    out = why("tool")
    assert all(word in out for word in reason.split())


def test_findings_are_for_programs_too(queue: Queue, why: Why) -> None:
    submit(queue, job("lib"), job("app", "lib"))
    data = why.json("app")
    assert data["identity"] == "repo/x86_64/app"
    assert all(finding["source"] == "queue" and finding["text"] for finding in data["findings"])
    assert data["queue"]["blockers"][0]["job"]["identity"] == "repo/x86_64/lib"
