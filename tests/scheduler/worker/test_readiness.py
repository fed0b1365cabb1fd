"""A worker that cannot work takes no jobs, says so, costs none an attempt, and comes back."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.errors import CaurError, ExitCode
from scheduler.job import FailureClass, JobState, Outcome
from scheduler.presence import Presence
from scheduler.worker.executors.protocol import GuestError
from scheduler.worker.outcome import failed
from scheduler.worker.readiness import Readiness, check_disk
from tests.support.packages import pkgbuild
from tests.support.queue import job

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from redis import Redis

    from tests.support.building import BuildSite, BuildWorld


@dataclass
class Sickness:
    """What is wrong with a worker, if anything."""

    text: str = ""
    looks: list[str] = field(default_factory=list)

    def check(self) -> None:
        self.looks.append(self.text)
        if self.text:
            raise CaurError(self.text, hint="Mend it.")


@pytest.fixture
def sickness() -> Sickness:
    return Sickness()


@pytest.fixture
def world(site: BuildSite, redis: Redis, sickness: Sickness) -> Iterator[BuildWorld]:
    with site.world() as world:
        world.worker._readiness = Readiness(slow=[sickness.check])
        world.worker._presence = Presence(redis)
        yield world


def submit(world: BuildWorld, build: str = ":") -> None:
    world.submit(job("tool", commit=world.add({"tool": pkgbuild("tool", build=build)})))


def test_it_takes_no_job_until_it_is_well(
    world: BuildWorld,
    sickness: Sickness,
    redis_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    submit(world)
    sickness.text = "the engine is down"

    assert world.worker._next_claim(0.0) is None
    (worker,) = world.queue.snapshot().workers
    assert worker.trouble == "the engine is down (Mend it.)"
    assert "takes no jobs: the engine is down" in world.queue.snapshot().ready[0].reason
    explanation = world.queue.explain("repo/x86_64/tool")
    assert explanation is not None
    assert any("takes no jobs: the engine is down" in reason for reason in explanation.reasons)
    assert run(["status", "--redis", redis_url], Session()) == ExitCode.OK
    assert "takes no jobs: the engine is down (Mend it.)" in capsys.readouterr().out

    sickness.text = ""
    world.worker._next_look = 0.0
    assert world.worker.run(idle_exit=0) == 1
    assert world.view("tool").state is JobState.LANDED
    assert world.queue.snapshot().workers == ()


def test_it_ends_when_it_is_asked_to(world: BuildWorld, sickness: Sickness) -> None:
    submit(world)
    sickness.text = "the engine is down"
    assert world.worker._next_claim(0.0) is None
    assert len(world.queue.drain()) == 1
    world.worker._next_look = 0.0
    assert world.worker.run() == 0
    assert world.view("tool").state is JobState.READY
    assert world.queue.snapshot().workers == ()


def test_a_failure_of_its_own_costs_no_attempt(
    world: BuildWorld, sickness: Sickness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> object:
        sickness.text = "the image cannot be had"
        return failed(FailureClass.INFRASTRUCTURE, "there could be no container")

    submit(world)
    monkeypatch.setattr(type(world.worker._builder), "build", fail)
    assert world.worker.run(idle_exit=0) == 1

    view = world.view("tool")
    assert (view.state, view.lost, view.outcome) == (JobState.READY, 0, None)
    assert "this worker cannot work: the image cannot be had" in world.log()


def test_what_it_finds_no_reason_for_is_counted(
    world: BuildWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> object:
        return failed(FailureClass.INFRASTRUCTURE, "no luck")

    submit(world)
    monkeypatch.setattr(type(world.worker._builder), "build", fail)
    world.worker.run(idle_exit=0)
    view = world.view("tool")
    assert (view.state, view.lost) == (JobState.WAITING, 1)


@pytest.mark.parametrize("is_still_full", [True, False])
def test_a_full_disk_is_the_workers_if_it_stays_full(
    world: BuildWorld, sickness: Sickness, *, is_still_full: bool
) -> None:
    submit(world, build="echo 'No space left on device'; false")
    claim = world.queue.claim(world.worker.identity)
    assert claim is not None
    sickness.text = "the disk is full" if is_still_full else ""
    world.worker.work_on(claim)

    view = world.view("tool")
    if is_still_full:
        assert (view.state, view.lost) == (JobState.READY, 0)
    else:
        assert (view.outcome, view.failure) == (Outcome.FAILED, FailureClass.DISK_FULL)


def test_what_is_slow_to_find_out_is_asked_seldom(sickness: Sickness) -> None:
    readiness = Readiness(slow=[sickness.check])
    assert [readiness.problem() for _ in range(5)] == [""] * 5
    assert len(sickness.looks) == 1

    sickness.text = "ill"
    assert readiness.problem() == ""
    assert readiness.look_again() == "ill (Mend it.)"
    pauses = []
    for _ in range(6):
        assert readiness.problem() == "ill (Mend it.)"
        pauses.append(readiness.pause)
    assert pauses == sorted(pauses)
    assert pauses[-1] == 60.0


def test_any_trouble_is_told(tmp_path: Path) -> None:
    def missing() -> None:
        (tmp_path / "nothing").read_bytes()

    def no_guest() -> None:
        raise GuestError("there is no image")

    assert "nothing" in Readiness(quick=[missing]).problem()
    assert Readiness(quick=[no_guest], slow=[missing]).problem() == "there is no image"


def test_a_disk_has_to_have_room(tmp_path: Path) -> None:
    check_disk(tmp_path, 1)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(CaurError, match="BUILDER_MIN_FREE asks for 1000000000"):
        check_disk(tmp_path, 10**9)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount something")
@pytest.mark.parametrize(
    ("options", "error", "words"),
    [("noexec", CaurError, "mounted `noexec`"), ("ro", OSError, "Read-only file system")],
)
def test_a_disk_has_to_take_programs_and_files(
    tmp_path: Path, options: str, error: type[Exception], words: str
) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", f"size=4m,{options}", "tmpfs", str(tmp_path)]
    subprocess.run(mount, check=True)
    try:
        with pytest.raises(error, match=words):
            check_disk(tmp_path, 0)
    finally:
        subprocess.run(["umount", tmp_path], check=True)
