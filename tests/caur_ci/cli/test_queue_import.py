"""`caur-ci queue import`: from a file, a pipe and a key of a real Redis."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from tests.support.queue import COMMIT, bases, build_order, claim_all

if TYPE_CHECKING:
    from pathlib import Path

    from redis import Redis

    from scheduler.queue import Queue

SAVED: dict[str, Any] = {
    "save_queue": [
        {
            "pkgbase": name,
            "target_repo": "chaotic-aur",
            "source_repo": "chaotic-aur",
            "arch": "x86_64",
            "build_class": None,
            "pkgnames": [name],
            "dependencies": needs,
            "commit": commit,
            "arch_mirror": "https://mirror.example/$repo",
        }
        for name, needs, commit in (
            ("app", ["lib"], f"{COMMIT}:17"),
            ("lib", [], f"{COMMIT}:17"),
            ("lost", [], ""),
        )
    ],
    "version": 3,
}


@pytest.fixture
def saved(tmp_path: Path) -> str:
    path = tmp_path / "queue.json"
    path.write_text(json.dumps(SAVED))
    return str(path)


def take_over(redis_url: str, *arguments: str) -> int:
    return run(["queue", "import", "--redis", redis_url, *arguments], Session())


def test_jobs_are_taken_over_in_order_and_the_others_named(
    queue: Queue, redis_url: str, saved: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert take_over(redis_url, saved) == ExitCode.PARTIAL

    shown = capsys.readouterr()
    assert "2 jobs were taken over" in shown.out
    assert "chaotic-aur/x86_64/lost was refused: $.save_queue[2]: " in shown.err
    assert build_order(queue) == ["lib", "app"]


def test_twice_is_once_unless_it_is_meant(
    queue: Queue, redis_url: str, saved: str, capsys: pytest.CaptureFixture[str]
) -> None:
    take_over(redis_url, saved)
    build_order(queue)

    assert take_over(redis_url, saved) == ExitCode.PARTIAL
    assert "taken over before" in capsys.readouterr().out
    assert build_order(queue) == []

    assert take_over(redis_url, saved, "--again") == ExitCode.PARTIAL
    assert build_order(queue) == ["lib", "app"]


def test_a_commit_can_be_given_for_those_without(
    queue: Queue, redis_url: str, saved: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert take_over(redis_url, saved, "--commit", "b" * 40) == ExitCode.OK
    assert capsys.readouterr().err == ""
    claims = claim_all(queue)
    assert {claim.spec.pkgbase: claim.spec.commit for claim in claims} == {
        "lib": COMMIT,
        "lost": "b" * 40,
    }
    assert claims[0].spec.commit_reference == f"{COMMIT}:17"


def test_it_can_come_from_a_key_which_stays_as_it_was(
    queue: Queue, redis: Redis, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    redis.set("build-queue", json.dumps(SAVED))

    assert take_over(redis_url, "--key", "build-queue", "--json") == ExitCode.PARTIAL

    data = json.loads(capsys.readouterr().out)
    assert len(data["jobs"]) == 2
    assert [refusal["identity"] for refusal in data["refused"]] == ["chaotic-aur/x86_64/lost"]
    assert redis.get("build-queue") == json.dumps(SAVED).encode()
    assert bases(claim_all(queue)) == ["lib"]


def test_it_can_come_from_another_server_through_a_pipe(queue: Queue, redis_url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "caur_ci", "queue", "import", "-", "--redis", redis_url],
        input=json.dumps(SAVED).encode(),
        env=os.environ,
        capture_output=True,
        check=False,
    )
    assert done.returncode == ExitCode.PARTIAL, done.stderr
    assert bases(claim_all(queue)) == ["lib"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "say where the queue is"),
        (["FILE", "--key", "build-queue"], "say where the queue is"),
        (["/nowhere/queue.json"], "cannot be read"),
        (["--key", "build-queue"], "there is no value build-queue"),
        (["--key", "a-list"], "there is no value a-list"),
        (["FILE", "--commit", "main"], "not the full id of a commit"),
    ],
)
def test_what_cannot_be_followed_is_said(
    redis: Redis,
    redis_url: str,
    saved: str,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    redis.rpush("a-list", "x")
    arguments = [saved if argument == "FILE" else argument for argument in arguments]
    assert take_over(redis_url, *arguments) == ExitCode.FAILED
    assert said in capsys.readouterr().err


def test_nothing_taken_over_is_a_failure(
    queue: Queue, redis_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "queue.json"
    path.write_text(json.dumps(SAVED | {"save_queue": SAVED["save_queue"][2:]}))
    assert take_over(redis_url, str(path)) == ExitCode.FAILED
    assert "lost was refused" in capsys.readouterr().err

    path.write_text(json.dumps(SAVED | {"version": 4}))
    assert take_over(redis_url, str(path)) == ExitCode.FAILED
    assert "version 4" in capsys.readouterr().err
    assert queue.snapshot().total_ready == 0
