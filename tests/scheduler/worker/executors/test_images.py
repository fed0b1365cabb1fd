"""Where the image comes from, and how often."""

from __future__ import annotations

import logging
import os
import time
import uuid
from typing import TYPE_CHECKING

import pytest

from scheduler.worker.executors.container.engine import Engine
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
