"""A place where another user can build."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scheduler.files import remove_tree
from scheduler.worker.users import BuildUser, build_user
from tests.support.building import BuildSite, BuildWorld
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from scheduler.settings import SourceRepository
    from tests.support.git import Checkout


@pytest.fixture
def shared() -> Iterator[Path]:
    """Return a folder that every user can get to; pytest's own are for their owner only."""
    folder = Path(tempfile.mkdtemp(prefix="caur-shared-"))
    folder.chmod(0o711)
    yield folder
    remove_tree(folder)


@pytest.fixture
def user() -> Iterator[BuildUser]:
    need_tools("makepkg", "bsdtar", "fakeroot", "setpriv")
    with build_user() as user:
        yield user


@pytest.fixture
def site(
    redis: Redis,
    shared: Path,
    user: BuildUser,
    checkout: Checkout,
    source: SourceRepository,
    quick_makepkg: None,
) -> BuildSite:
    return BuildSite(redis, shared, user, checkout, source)


@pytest.fixture
def world(site: BuildSite) -> Iterator[BuildWorld]:
    """Return a worker that builds on this machine."""
    with site.world() as world:
        yield world
