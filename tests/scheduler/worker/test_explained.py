"""A real build that fails after one that went well, explained."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from scheduler.diagnosis import explain
from scheduler.history import History, job_of_record
from scheduler.job import FailureClass, Outcome
from tests.support.packages import pkgbuild
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.history import PastJob
    from tests.support.building import BuildWorld

BUILD = 'echo "int main(void) {{ return {value}; }}" >x.c; gcc -c x.c; echo compiled; rm x.o'


def ended(world: BuildWorld) -> PastJob:
    """Return the job of `tool`, which has ended."""
    job_id = world.jobs["tool"]
    job = job_of_record(world.queue.records([job_id])[job_id])
    assert job is not None
    return job


def test_what_is_different_from_the_last_good_build(world: BuildWorld, tmp_path: Path) -> None:
    need_tools("gcc")
    world.build({"PKGBUILD": pkgbuild("tool", build=BUILD.format(value=0))})
    (landed,) = world.queue.claim_landed("runner-0")
    world.queue.finish(landed, Outcome.SUCCESS)
    good = ended(world)
    world.build({"PKGBUILD": pkgbuild("tool", build=BUILD.format(value="undeclared"))})
    bad = ended(world)

    with History.open(tmp_path / "history") as history:
        history.record([good, bad])
        found = explain(bad, logs=world.logs, history=history)

    assert found is not None
    assert (found.failure, found.step) == (FailureClass.COMPILE, "build()")
    assert found.error is not None
    assert found.error.line.text.startswith("x.c:1:25: error: ")
    differences = found.differences
    assert differences is not None
    assert (differences.job_id, differences.commit) == (good.job_id, good.commit)
    assert differences.same_folder is False
    assert "duration" in [contrast.what for contrast in differences.contrasts]
    assert "worker" not in [contrast.what for contrast in differences.contrasts]
    parting = found.parting
    assert parting is not None
    assert (parting.step, parting.missing) == ("build()", "Entering fakeroot environment")
    assert parting.line is not None
    assert "x.c" in parting.line.text
    # The repository is on this machine, where nobody else can get to.
    assert shlex.split(found.command) == [
        *("caur-ci", "build", f"tool@{bad.commit}", "--target-repo", "repo", "--executor", "host")
    ]
