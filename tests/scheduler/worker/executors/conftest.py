"""Executors to build with."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from scheduler.worker.executors.container.executor import ContainerExecutor
from tests.scheduler.worker.executors.repository import Repository
from tests.support.containers import need_containers
from tests.support.packages import SigningKey, signing_key
from tests.support.tools import need_tools

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.containers import Containers


@pytest.fixture(scope="module")
def key() -> Iterator[SigningKey]:
    need_tools("gpg", "repo-add", "bsdtar")
    with signing_key() as key:
        yield key


@pytest.fixture
def repository(shared: Path, key: SigningKey) -> Repository:
    return Repository(shared / "repos", key)


@pytest.fixture
def containers(monkeypatch: pytest.MonkeyPatch) -> Containers:
    return need_containers(monkeypatch)


@pytest.fixture
def container_executor(containers: Containers, shared: Path) -> Iterator[ContainerExecutor]:
    with ContainerExecutor.opened(containers.settings(), shared / "containers") as executor:
        yield executor


@pytest.fixture
def listener() -> Iterator[tuple[str, int]]:
    """Return an address of this machine that something listens at."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        # Sends nothing; it makes the kernel say which address the machine has.
        try:
            probe.connect(("192.0.2.1", 9))
            address = probe.getsockname()[0]
        except OSError:
            address = "127.0.0.1"
    with socket.create_server((address, 0)) as server:
        yield server.getsockname()
