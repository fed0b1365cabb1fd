"""A worker's key, the file that allows it, and something that was built."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scheduler.landing import LandingZone
from scheduler.workerkeys import AllowedWorkers, WorkerKey
from tests.support.deliveries import allow
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def worker_key(tmp_path_factory: pytest.TempPathFactory) -> WorkerKey:
    need_tools("ssh-keygen")
    return WorkerKey.ensure(tmp_path_factory.mktemp("worker") / "key")


@pytest.fixture
def allowed(tmp_path: Path, worker_key: WorkerKey) -> AllowedWorkers:
    """Allow the worker called `worker`."""
    allow(tmp_path / "allowed_workers", worker_key, "worker")
    return AllowedWorkers(tmp_path / "allowed_workers")


@pytest.fixture
def landing(tmp_path: Path) -> LandingZone:
    return LandingZone(tmp_path / "landing")


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Return a folder with a file that is as good as a package here."""
    folder = tmp_path / "output"
    folder.mkdir()
    (folder / "a.pkg.tar.zst").write_bytes(b"a")
    return folder
