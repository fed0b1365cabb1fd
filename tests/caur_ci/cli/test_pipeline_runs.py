"""A pipeline that hands over tells so, with something to build or without."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.pipeline_runs import pipeline_in
from caur_ci.cli.session import Session
from caur_ci.errors import ExitCode, TemporaryError
from scheduler import metrics
from scheduler.metrics import Pipeline, Tallies
from scheduler.metrics import definitions as m
from scheduler.metrics.tallies import numbers_of
from tests.support.git import Checkout

if TYPE_CHECKING:
    from pathlib import Path

    from redis import Redis


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Return a repository whose branch `caur` knows of one package on hold."""
    made = Checkout.create(tmp_path / "source")
    made.commit("begin", {"a/PKGBUILD": "pkgname=a\n"})
    made.push()
    run(["hold", "a", "--reason", "because", "--repo", str(made.folder)], Session())
    return made


def hand_over(checkout: Checkout, redis_url: str) -> int:
    arguments = ["schedule", "--outbox", "--repo", str(checkout.folder), "--redis", redis_url]
    return run(arguments, Session())


def test_a_run_with_nothing_to_build_is_told(
    checkout: Checkout, redis: Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITLAB_CI", "true")
    monkeypatch.setenv("CI_PIPELINE_SOURCE", "schedule")
    assert hand_over(checkout, redis_url) == ExitCode.OK

    counts = Tallies(redis).read()

    assert numbers_of(counts, m.PIPELINE_RUNS) == {("on-schedule",): 1}
    (told,) = numbers_of(counts, m.PIPELINE_LAST).values()
    assert abs(time.time() - told / 1000) < 600
    assert numbers_of(counts, m.PACKAGES) == {("stale",): 0, ("failing",): 0, ("held",): 1}


def test_what_was_handed_over_stays_so_if_it_cannot_be_told(
    checkout: Checkout,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def away(*_: object) -> None:
        raise TemporaryError("Redis is away")

    monkeypatch.setattr(metrics, "tell_of_run", away)

    assert hand_over(checkout, redis_url) == ExitCode.OK
    assert "metrics do not know of this run: Redis is away" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environ", "pipeline"),
    [
        ({"GITLAB_CI": "1", "CI_PIPELINE_SOURCE": "push"}, Pipeline.ON_COMMIT),
        ({"GITLAB_CI": "1", "CI_PIPELINE_SOURCE": "schedule"}, Pipeline.ON_SCHEDULE),
        ({"GITLAB_CI": "1", "CI_PIPELINE_SOURCE": "web"}, Pipeline.MANUAL),
        ({"GITHUB_ACTIONS": "1", "GITHUB_EVENT_NAME": "push"}, Pipeline.ON_COMMIT),
        ({"GITHUB_ACTIONS": "1", "GITHUB_EVENT_NAME": "schedule"}, Pipeline.ON_SCHEDULE),
        ({"GITHUB_ACTIONS": "1", "GITHUB_EVENT_NAME": "workflow_dispatch"}, Pipeline.MANUAL),
        ({"CI_PIPELINE_SOURCE": "push"}, Pipeline.MANUAL),
    ],
    ids=str,
)
def test_what_started_it(environ: dict[str, str], pipeline: Pipeline) -> None:
    assert pipeline_in(environ) is pipeline
