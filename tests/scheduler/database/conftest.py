"""A signing key, a landing zone and a repository that nobody has published in yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scheduler.database.signing import Signer
from scheduler.landing import LandingZone
from scheduler.queue import Queue
from scheduler.settings import DatabaseSettings, TargetRepository
from scheduler.workerkeys import WorkerKey
from tests.support.deliveries import allow
from tests.support.packages import SigningKey, gnupg_folder, signing_key
from tests.support.pacman_client import PacmanClient
from tests.support.publishing import World
from tests.support.shelf import Shelf
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from redis import Redis

    from scheduler.settings import SourceRepository
    from tests.support.git import Checkout


@pytest.fixture(scope="session")
def key() -> Iterator[SigningKey]:
    need_tools("gpg", "repo-add", "bsdtar", "zstd", "pacman")
    with signing_key() as key:
        yield key


@pytest.fixture
def signer(key: SigningKey) -> Signer:
    return Signer(key.home)


@pytest.fixture
def keyless() -> Iterator[Signer]:
    """Return a signer that has no key to sign with."""
    with gnupg_folder() as home:
        yield Signer(home)


@pytest.fixture(scope="session")
def worker_key(tmp_path_factory: pytest.TempPathFactory) -> WorkerKey:
    need_tools("ssh-keygen")
    return WorkerKey.ensure(tmp_path_factory.mktemp("worker") / "key")


@pytest.fixture
def landing(tmp_path: Path) -> LandingZone:
    return LandingZone(tmp_path / "landing")


@pytest.fixture
def shelf(tmp_path: Path, signer: Signer) -> Shelf:
    return Shelf(tmp_path, signer)


@pytest.fixture
def pacman(tmp_path: Path, shelf: Shelf, key: SigningKey) -> PacmanClient:
    client = PacmanClient(tmp_path / "client", repository="repo", published=shelf.folder)
    client.trust(key.public, key.fingerprint)
    return client


@pytest.fixture
def world(
    redis: Redis,
    tmp_path: Path,
    key: SigningKey,
    landing: LandingZone,
    worker_key: WorkerKey,
    checkout: Checkout,
    source: SourceRepository,
) -> World:
    settings = DatabaseSettings(
        source_repos={"source": source},
        allowed_workers=tmp_path / "allowed_workers",
        cache=tmp_path / "cache",
        target_repos={"repo": TargetRepository(name="repo")},
        repo_path=tmp_path / "www",
        landing_zone=landing.folder,
        gpg_home=key.home,
    )
    allow(settings.allowed_workers, worker_key, "worker")
    return World(Queue(redis), landing, worker_key, settings, checkout, tmp_path, redis)
