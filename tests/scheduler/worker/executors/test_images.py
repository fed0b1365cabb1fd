"""Where the image comes from, and how often."""

from __future__ import annotations

import logging
import os
import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import ConfigError
from scheduler.worker.executors.container.engine import Engine
from scheduler.worker.executors.container.executor import ContainerExecutor
from scheduler.worker.executors.container.images import provide_image
from scheduler.worker.executors.protocol import GuestError, Stop, StoppedError
from tests.scheduler.worker.executors.builds import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.containers import Containers


@pytest.fixture
def image(containers: Containers) -> Iterator[str]:
    """Return an image that is here, of a registry that nobody can reach."""
    name = f"127.0.0.1:9/caur-ci-test:{uuid.uuid4().hex}"
    containers.run("tag", containers.image, name)
    yield name
    containers.run("rmi", name)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    found = [record.getMessage() for record in caplog.records if "pulled" in record.getMessage()]
    caplog.clear()
    return found


def test_an_image_is_pulled_once_a_day_and_one_that_is_here_will_do(
    tmp_path: Path, containers: Containers, image: str, caplog: pytest.LogCaptureFixture
) -> None:
    engine = Engine.find(containers.engine)
    with caplog.at_level(logging.WARNING):
        provide_image(engine, image, tmp_path, Recorder())
        assert len(warnings(caplog)) == 1
        provide_image(engine, image, tmp_path, Recorder())
        assert warnings(caplog) == []
        (stamp,) = tmp_path.glob("*.pulled")
        yesterday = time.time() - 25 * 3600
        os.utime(stamp, (yesterday, yesterday))
        provide_image(engine, image, tmp_path, Recorder())
        assert len(warnings(caplog)) == 1


def test_an_image_that_is_nowhere_is_told(tmp_path: Path, containers: Containers) -> None:
    engine = Engine.find(containers.engine)
    with pytest.raises(GuestError, match=r"127\.0\.0\.1:9/nothing:1 cannot be pulled"):
        provide_image(engine, "127.0.0.1:9/nothing:1", tmp_path, Recorder())
    assert list(tmp_path.glob("*.pulled")) == []


def test_a_pull_can_be_stopped(tmp_path: Path, containers: Containers) -> None:
    engine = Engine.find(containers.engine)
    with pytest.raises(StoppedError) as caught:
        provide_image(engine, "127.0.0.1:9/nothing:1", tmp_path, Recorder(lambda _: Stop.SHUTDOWN))
    assert caught.value.stop is Stop.SHUTDOWN


def test_whether_the_image_can_be_had_is_known_before_a_job_is_taken(
    tmp_path: Path, containers: Containers
) -> None:
    settings = containers.settings()
    with ContainerExecutor.opened(settings, tmp_path / "one") as executor:
        executor.check_ready(Recorder())
    missing = replace(settings, image="localhost/nothing:1")
    with (
        ContainerExecutor.opened(missing, tmp_path / "other") as executor,
        pytest.raises(GuestError, match="no image localhost/nothing:1"),
    ):
        executor.check_ready(Recorder())


def test_whether_the_engine_runs_is_known_as_well(
    tmp_path: Path, containers: Containers, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "podman"
    program.parent.mkdir()
    broken = 'echo "cannot connect" >&2; exit 125'
    program.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "podman 5" && exit\n{broken}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    settings = replace(containers.settings(), engine="podman")
    with (
        ContainerExecutor.opened(settings, tmp_path / "one") as executor,
        pytest.raises(ConfigError, match="cannot be used"),
    ):
        executor.check_ready(Recorder())
