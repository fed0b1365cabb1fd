"""`caur-ci explain`, and what `caur-ci why` says of a failure, against a real queue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from caur_ci.cli import why
from caur_ci.cli.failure import CloneCommits
from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from scheduler.connection import default_state_dir
from scheduler.diagnosis import FolderCommit
from scheduler.history import History
from scheduler.job import FailureClass, Outcome
from scheduler.logs import LogStore
from tests.support.past import past_job
from tests.support.queue import COMMIT, claimed, job, submit

if TYPE_CHECKING:
    from pathlib import Path

    from redis import Redis

    from scheduler.queue import Queue
    from tests.support.git import Checkout

LOG = b"""\
==> caur-ci: building tool for repo/x86_64 from source at commit c0ffee, job 1, attempt 1, on x
==> caur-ci: the package is from https://example.org/pkgs.git, built by the executor host
==> Starting build()...
cc -c main.c
main.c:3:1: error: \x1b[31mno\x1b[0m [bold]such[/] thing
make: *** [Makefile:2: main.o] Error 1
==> ERROR: A failure occurred in build().
"""
COMMAND = (
    f"caur-ci build tool@{COMMIT} --repo https://example.org/pkgs.git --target-repo repo "
    "--executor host"
)


class Asked:
    """Runs a command about packages, and keeps what it said."""

    def __init__(self, redis_url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self._redis_url = redis_url
        self._capsys = capsys
        self.err = ""

    def __call__(self, *arguments: str, expect: ExitCode = ExitCode.OK) -> str:
        code = run([*arguments, "--redis", self._redis_url], Session())
        captured = self._capsys.readouterr()
        self.err = captured.err
        assert code == expect, captured
        return captured.out

    def json(self, *arguments: str, expect: ExitCode = ExitCode.OK) -> Any:  # noqa: ANN401
        return json.loads(self(*arguments, "--json", expect=expect))


@pytest.fixture
def ask(
    redis_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Asked:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    return Asked(redis_url, capsys)


def fail(queue: Queue, redis: Redis, log: bytes = LOG) -> int:
    """Have a build of `tool` fail, and return its job."""
    submit(queue, job("tool"))
    claim = claimed(queue)
    logs = LogStore(redis)
    logs.start(claim.job_id, claim.attempt, claim.identity)
    logs.append(claim.job_id, claim.attempt, log)
    logs.finish(claim.job_id, claim.attempt)
    queue.finish(claim, Outcome.FAILED, "building: it failed", failure=FailureClass.COMPILE)
    return claim.job_id


def test_a_failed_package(queue: Queue, redis: Redis, ask: Asked) -> None:
    fail(queue, redis)

    lines = ask("explain", "tool").splitlines()

    assert lines[0] == "repo/x86_64/tool failed (compile)"
    assert lines[1] == "  building: it failed"
    assert lines[2] == "  The first error, in build(), by compiler:"
    assert "  > 5  main.c:3:1: error: no [bold]such[/] thing" in lines
    assert "    4  cc -c main.c" in lines
    assert lines[-1] == f"  The same here: {COMMAND}"


def test_for_other_programs(queue: Queue, redis: Redis, ask: Asked) -> None:
    job_id = fail(queue, redis)
    data = ask.json("explain", str(job_id))
    assert data["job_id"] == job_id
    assert data["failure"] == "compile"
    assert data["error"]["line"] == {
        "number": 5,
        "offset": LOG.index(b"main.c:3"),
        "text": "main.c:3:1: error: no [bold]such[/] thing",
    }
    assert data["command"] == COMMAND


def test_what_the_history_knows(queue: Queue, redis: Redis, ask: Asked) -> None:
    submit(queue, job("first"))
    queue.finish(claimed(queue), Outcome.SUCCESS)
    job_id = fail(queue, redis)
    good = past_job(1, "tool", commit="0" * 40, worker="other-0123456789")
    bad = past_job(job_id, "tool", outcome=Outcome.FAILED, failure=FailureClass.COMPILE)
    elsewhere = past_job(job_id + 1, "elsewhere", outcome=Outcome.FAILED, reason="long ago")
    with History.open(default_state_dir() / "history") as history:
        history.record([good, bad, elsewhere])

    out = ask("explain", "tool")

    assert "  Since that build, of commit 000000000000:" in out
    assert "    worker: other → worker-1" in out
    assert ask.json("why", "tool")["failure"]["differences"]["job_id"] == 1
    assert ask("explain", "elsewhere").splitlines()[1] == "  long ago"
    assert "long ago" in ask("explain", str(job_id + 1))


def test_a_build_that_is_tried_again(queue: Queue, redis: Redis, ask: Asked) -> None:
    fail(queue, redis)
    submit(queue, job("tool"))
    claim = claimed(queue)
    logs = LogStore(redis)
    logs.start(claim.job_id, claim.attempt, claim.identity)
    logs.append(claim.job_id, claim.attempt, b"curl: (6) Could not resolve host: example.org\n")
    queue.retry_later(claim, "fetching: no network")

    for reference in ("tool", str(claim.job_id)):
        lines = ask("explain", reference).splitlines()
        assert lines[0] == "repo/x86_64/tool failed (infrastructure)"
        assert "  > 1  curl: (6) Could not resolve host: example.org" in lines


def test_nothing_to_explain(queue: Queue, ask: Asked) -> None:
    ask("explain", "tool", expect=ExitCode.FAILED)
    assert "tool" in ask.err
    submit(queue, job("tool"))
    assert ask.json("explain", "tool", expect=ExitCode.FAILED) is None
    assert "no build has ended, there is no failure to explain" in ask.err
    queue.finish(claimed(queue), Outcome.SUCCESS)
    assert ask("explain", "tool", expect=ExitCode.FAILED) == ""
    assert "ended with SUCCESS" in ask.err


def test_why_tells_the_first_error(queue: Queue, redis: Redis, ask: Asked) -> None:
    job_id = fail(queue, redis)
    submit(queue, job("tool"))

    out = ask("why", "tool")

    assert "the first error, in build(), line 5 of its log, by compiler: main.c:3:1: error:" in out
    assert f"`caur-ci explain {job_id}` tells more; the same here: {COMMAND}" in out
    data = ask.json("why", "tool")
    assert data["failure"]["error"]["tool"] == "compiler"
    assert "log" in [finding["source"] for finding in data["findings"]]


def test_why_reads_no_log_that_takes_long(
    queue: Queue, redis: Redis, ask: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(queue, redis)
    monkeypatch.setattr(why, "_READ_AT_MOST", len(LOG) - 1)
    assert "the first error" not in ask("why", "tool")
    monkeypatch.setattr(why, "_READ_AT_MOST", len(LOG))
    assert "the first error" in ask("why", "tool")


def test_why_of_a_build_without_a_log(queue: Queue, ask: Asked) -> None:
    submit(queue, job("tool"))
    claim = claimed(queue)
    queue.finish(claim, Outcome.FAILED, "no PKGBUILD", failure=FailureClass.CONFIGURATION)
    out = ask("why", "tool")
    assert f"`caur-ci explain {claim.job_id}` tells more" in out
    assert "the first error" not in out


def test_where_it_stood_is_told_as_that(queue: Queue, redis: Redis, ask: Asked) -> None:
    fail(queue, redis, LOG.replace(b"error: \x1b", b"\x1b").replace(b"main.c:3:1: ", b""))
    stood = "no [bold]such[/] thing"
    assert "  Where it stood, in build():" in ask("explain", "tool").splitlines()
    assert f"it stood at build(), line 5 of its log: {stood}" in ask("why", "tool")


def test_commits_to_a_folder(checkout: Checkout, tmp_path: Path) -> None:
    old = checkout.head()
    first = checkout.commit("a: newer", {"a/PKGBUILD": "pkgname=a\npkgver=2\n"})
    checkout.commit("b: newer", {"b/PKGBUILD": "pkgname=b\npkgver=2\n"})
    last = checkout.commit("a: newest", {"a/PKGBUILD": "pkgname=a\npkgver=3\n"})
    commits = CloneCommits(checkout.folder)

    assert commits("a", old, last) == [
        FolderCommit(last, "a: newest"),
        FolderCommit(first, "a: newer"),
    ]
    assert commits("c", old, last) == []
    assert commits("a", "0" * 40, last) is None
    assert commits("a", "--all", last) is None
    assert CloneCommits(tmp_path)("a", old, last) is None
