"""`caur-ci auto-repo-remove`, and how it tells what became of a removal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from scheduler.job import Removal
from tests.support.queue import Background, eventually

if TYPE_CHECKING:
    from scheduler.queue import Queue, RemovalClaim


def auto_repo_remove(redis_url: str, *arguments: str) -> int:
    command = ["auto-repo-remove", "--target-repo=repo", "--redis", redis_url]
    return run([*command, *arguments], Session())


def claimed(queue: Queue) -> RemovalClaim:
    (claim,) = queue.claim_removals("runner")
    return claim


def held(queue: Queue) -> None:
    queue.hold_removal(claimed(queue), "9 of 10 packages would go", remove=["b", "c"])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["a", "b"], Removal(target_repo="repo", keep=("a", "b"))),
        (["--keep=a", "b"], Removal(target_repo="repo", keep=("b", "a"))),
        (
            ["--remove=a", "--arch=aarch64"],
            Removal(target_repo="repo", arch="aarch64", remove=("a",)),
        ),
        (["a", "--confirm"], Removal(target_repo="repo", keep=("a",), confirmed=True)),
    ],
)
def test_what_is_to_stay_or_to_go_reaches_the_queue(
    queue: Queue, redis_url: str, arguments: list[str], expected: Removal
) -> None:
    assert auto_repo_remove(redis_url, *arguments) == ExitCode.OK
    assert claimed(queue).removal == expected


@pytest.mark.parametrize("arguments", [[], ["a", "--remove=b"], ["a", "--dismiss"], ["--confirm"]])
def test_what_makes_no_sense_is_refused(queue: Queue, redis_url: str, arguments: list[str]) -> None:
    assert auto_repo_remove(redis_url, *arguments) == ExitCode.FAILED
    assert queue.removals() == ()


def test_what_is_held_back_is_told_confirmed_or_dismissed(
    queue: Queue, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    auto_repo_remove(redis_url, "a")
    held(queue)
    assert auto_repo_remove(redis_url, "--remove=x") == ExitCode.OK
    message = capsys.readouterr().err
    assert "is held back: 9 of 10 packages would go" in message
    assert "--confirm" in message

    assert run(["queue", "removals", "--json", "--redis", redis_url], Session()) == ExitCode.OK
    first, second = json.loads(capsys.readouterr().out)
    assert (first["held"], second["held"]) == (True, False)
    run(["queue", "removals", "--redis", redis_url], Session())
    assert "held back" in capsys.readouterr().out
    run(["queue", "list", "--redis", redis_url], Session())
    assert "removals that wait to be confirmed: 1" in capsys.readouterr().err

    queue.finish_removal(queue.claim_removals("runner")[0])
    assert auto_repo_remove(redis_url, "--confirm") == ExitCode.OK
    assert claimed(queue).removal.remove == ("b", "c")


def test_what_is_held_back_can_be_dismissed(queue: Queue, redis_url: str) -> None:
    auto_repo_remove(redis_url, "a")
    held(queue)
    assert auto_repo_remove(redis_url, "--dismiss") == ExitCode.OK
    assert queue.removals() == ()


@pytest.mark.parametrize(
    ("error", "expected"),
    [("", ExitCode.OK), ("no key", ExitCode.FAILED), (None, ExitCode.PARTIAL)],
)
def test_waiting_tells_how_it_ended(
    queue: Queue, redis_url: str, error: str | None, expected: ExitCode
) -> None:
    waiting = Background(lambda: auto_repo_remove(redis_url, "a", "--wait=20"))
    eventually(lambda: len(queue.removals()) == 1)
    if error is None:
        held(queue)
    else:
        queue.finish_removal(claimed(queue), removed=["b"], error=error)
    assert waiting.result() == expected


def test_waiting_ends_when_its_time_is_over(queue: Queue, redis_url: str) -> None:
    assert auto_repo_remove(redis_url, "a", "--wait=0.05") == ExitCode.TEMPORARY
    assert len(queue.removals()) == 1
