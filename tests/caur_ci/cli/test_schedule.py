"""`caur-ci schedule` against a real queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode
from caur_ci.request import BuildRequest, PackageRequest
from scheduler.job import OnFailure
from tests.support.git import Checkout, srcinfo
from tests.support.queue import COMMIT, claimed, job, submit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from redis import Redis

    from scheduler.queue import Queue

NAMED = ["schedule", "--target-repo=repo", "--source-repo=source", "--without-order"]


def schedule(redis_url: str, *arguments: str) -> int:
    return run([*NAMED, f"--commit={COMMIT}", "--redis", redis_url, *arguments], Session())


@pytest.fixture
def forgetful(redis: Redis) -> Iterator[None]:
    """Let the server drop what it holds when memory runs short."""
    redis.config_set("maxmemory-policy", "allkeys-lru")
    yield
    redis.config_set("maxmemory-policy", "noeviction")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], OnFailure.PROCEED),
        (["--on-failure=proceed"], OnFailure.PROCEED),
        (["--on-failure=hold"], OnFailure.HOLD),
    ],
)
def test_packages_named_here_proceed_or_are_held_after_a_failure(
    queue: Queue, redis_url: str, options: list[str], expected: OnFailure
) -> None:
    assert schedule(redis_url, "tool", *options) == ExitCode.OK
    assert claimed(queue).spec.on_failure is expected


@pytest.mark.parametrize(
    ("options", "asked"),
    [([], False), (["--on-running=follow"], False), (["--on-running=cancel"], True)],
)
def test_a_running_build_goes_on_or_is_canceled(
    queue: Queue, redis_url: str, options: list[str], *, asked: bool
) -> None:
    submit(queue, job("tool"))
    running = claimed(queue)

    assert schedule(redis_url, "tool", *options) == ExitCode.OK

    assert queue.renew(running).cancel is asked


@pytest.mark.parametrize("option", ["--on-failure=hold", "--on-running=cancel"])
def test_a_request_that_exists_already_says_itself_what_it_wants(
    redis_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    arguments = ["schedule", "--from", str(tmp_path), "--redis", redis_url, option]
    assert run(arguments, Session()) == ExitCode.FAILED
    assert "are for packages named here" in capsys.readouterr().err


def test_what_the_request_wants_survives_its_file(
    queue: Queue, redis_url: str, tmp_path: Path
) -> None:
    submit(queue, job("tool"))
    running = claimed(queue)
    request = BuildRequest(
        request_id="0" * 32,
        created="2026-01-01T00:00:00+00:00",
        source_repo="source",
        target_repo="repo",
        commit=COMMIT,
        packages=(PackageRequest(pkgbase="tool"), PackageRequest(pkgbase="other")),
        on_failure="hold",
        on_running="cancel",
    )
    document = tmp_path / "schedule.json"
    document.write_text(request.to_json())

    arguments = ["schedule", "--from", str(document), "--redis", redis_url]
    assert run(arguments, Session()) == ExitCode.OK

    assert queue.renew(running).cancel
    assert claimed(queue).spec.on_failure is OnFailure.HOLD


@pytest.mark.usefixtures("forgetful")
def test_a_server_that_may_lose_jobs_is_told(
    queue: Queue, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert schedule(redis_url, "tool") == ExitCode.OK
    assert "may lose jobs: maxmemory-policy is allkeys-lru" in capsys.readouterr().err


@pytest.mark.usefixtures("forgetful")
def test_with_strict_it_gets_none(
    queue: Queue, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert schedule(redis_url, "tool", "--strict") == ExitCode.FAILED
    assert "maxmemory-policy is allkeys-lru" in capsys.readouterr().err
    assert queue.snapshot().total_ready == 0


def test_a_server_that_keeps_them_is_not_spoken_of(
    queue: Queue, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert schedule(redis_url, "tool", "--strict") == ExitCode.OK
    assert capsys.readouterr().err == ""
    assert queue.snapshot().total_ready == 1


def test_in_a_repository_names_commit_and_order_are_known(
    checkout: Checkout, queue: Queue, redis_url: str
) -> None:
    checkout.commit("feat: b needs a", {"b/.SRCINFO": srcinfo("b", "depends = a")})

    command = ["schedule", "b", "a", "--repo", str(checkout.folder), "--redis", redis_url]
    assert run(command, Session()) == ExitCode.OK

    first = claimed(queue)
    assert (first.spec.pkgbase, first.spec.commit) == ("a", checkout.head())
    assert (first.spec.source_repo, first.spec.target_repo) == ("source", "target")


def test_elsewhere_they_have_to_be_given(
    tmp_path: Path, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["schedule", "a", "--repo", str(tmp_path), "--redis", redis_url]

    assert run(command, Session()) == ExitCode.FAILED
    assert "--target-repo" in capsys.readouterr().err
