"""A signing key, a landing zone and a repository that nobody has published in yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scheduler.database.signing import Signer
from scheduler.landing import LandingZone
from scheduler.workerkeys import WorkerKey
from tests.support.packages import SigningKey, gnupg_folder, signing_key
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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
