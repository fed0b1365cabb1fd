"""A finished build on its way to a landing zone that is out of order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.job import JobState, Outcome, Removal
from scheduler.worker.delivery import RetryPolicy
from tests.support.packages import pkgbuild
from tests.support.queue import Background, eventually, job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.building import BuildSite, BuildWorld

import pytest

PATIENT = RetryPolicy(total=3600, first_pause=0.05, longest_pause=0.2)


@pytest.fixture
def world(site: BuildSite) -> Iterator[BuildWorld]:
    """Return a world with a file in the place of the landing zone."""
    with site.world(retry_policy=PATIENT) as world:
        world.landing.folder.write_text("in the way")
        yield world


def start_delivering(world: BuildWorld) -> Background:
    commit = world.add({"tool": pkgbuild("tool", build="echo this is the build")})
    world.submit(job("tool", commit=commit))
    delivering = Background(world.build_next)
    eventually(lambda: world.log("tool").count("not delivered yet") >= 3, within=60)
    return delivering


def test_it_is_tried_again_without_another_build(world: BuildWorld) -> None:
    delivering = start_delivering(world)

    world.landing.folder.unlink()
    delivering.result()

    view = world.view("tool")
    assert (view.state, view.attempt) == (JobState.LANDED, 1)
    assert world.log("tool").count("\nthis is the build") == 1
    assert (world.landing.folder / view.delivery / "manifest.json.sig").is_file()


def test_a_job_that_is_canceled_is_not_tried_again(world: BuildWorld) -> None:
    delivering = start_delivering(world)

    world.queue.submit("removal", [], [Removal(target_repo="repo", remove=("tool",))])
    delivering.result()

    assert world.ended("tool")[0] is Outcome.CANCELED


def test_a_worker_that_is_to_end_hands_the_job_back(world: BuildWorld) -> None:
    delivering = start_delivering(world)

    world.stop.set()
    delivering.result()

    assert world.view("tool").state is JobState.READY
