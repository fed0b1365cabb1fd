"""A worker's key, the file that allows it, and something that was built."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from scheduler.landing import LandingZone, Manifest, SignedManifest
from scheduler.queue import Claim
from scheduler.workerkeys import AllowedWorkers, WorkerKey
from tests.support.deliveries import allow, manifest_of
from tests.support.queue import job
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from pathlib import Path

CLAIM = Claim(job_id=7, token=9, attempt=1, owner="worker-0a1b", lease_until=0.0, spec=job("tool"))
# The same job when it is to be published.
LANDED = replace(CLAIM, token=12, owner="runner-1", delivery="7-9", builder="worker-0a1b")


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


@pytest.fixture
def manifest(output: Path) -> Manifest:
    return manifest_of(CLAIM, output / "a.pkg.tar.zst")


@pytest.fixture
def signed(manifest: Manifest, worker_key: WorkerKey) -> SignedManifest:
    return SignedManifest.sign(manifest, worker_key)
