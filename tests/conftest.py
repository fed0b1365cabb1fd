"""What every test may rely on: a home of its own, no forge, no stray settings.

Those that ask for it get a Redis server that is private to the test process, empty at the start,
and a makepkg that is quick with small packages.
"""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from scheduler import embedded
from scheduler.connection import connect
from scheduler.files import remove_tree
from scheduler.queue import Queue
from tests.support.quick_makepkg import install_quick_makepkg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

# A machine that is busy makes no test fail. `CAUR_LONG=1` tries more.
settings.register_profile(
    "tests", deadline=None, max_examples=300 if os.environ.get("CAUR_LONG") else 40
)
settings.load_profile("tests")

_LEFT_OUT = (
    "CI",
    "BUILDER_",
    "CAUR_STATE_DIR",
    "HISTORY_",
    "GITHUB_",
    "GITLAB_",
    "GIT_",
    "REDIS_",
    "PACKAGE_",
)
_GIT_CONFIG = """\
[user]
    name = Tester
    email = tester@example.org
[init]
    defaultBranch = main
[protocol "file"]
    allow = always
[core]
    fsync = none
[gc]
    auto = 0
[maintenance]
    auto = false
[receive]
    autoGC = false
"""


def pytest_configure() -> None:
    """Let what tests start be interrupted, though a job in the background may not be itself.

    What is made for many tests at once comes before `private_home`: git has to know somebody there,
    also where the user has never told it anything.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config = Path(tempfile.mkdtemp(prefix="caur-ci-tests-")) / "gitconfig"
    config.write_text(_GIT_CONFIG, encoding="utf-8")
    os.environ["GIT_CONFIG_GLOBAL"] = str(config)


def pytest_unconfigure() -> None:
    """Remove what `pytest_configure` made."""
    config = Path(os.environ.pop("GIT_CONFIG_GLOBAL"))
    config.unlink(missing_ok=True)
    config.parent.rmdir()


@pytest.fixture(autouse=True)
def private_home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep the user's home and the surrounding pipeline out of the tests."""
    home = tmp_path_factory.mktemp("home")
    (home / ".gitconfig").write_text(_GIT_CONFIG, encoding="utf-8")
    for name in [name for name in os.environ if name.startswith(_LEFT_OUT)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    return home


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the URL of a running embedded server, with what earlier tests have left in it."""
    state_dir = tmp_path_factory.mktemp("state")
    yield embedded.ensure(state_dir)
    embedded.stop(state_dir)


@pytest.fixture(scope="session")
def _caretakers() -> Iterator[dict[str, Redis]]:
    """Return the clients that empty servers, by URL: other folders have servers of their own."""
    clients: dict[str, Redis] = {}
    yield clients
    for client in clients.values():
        client.close()


@pytest.fixture
def redis_url(redis_server: str, _caretakers: dict[str, Redis]) -> str:
    """Return the URL of an empty server, for tests that start other processes."""
    if redis_server not in _caretakers:
        _caretakers[redis_server] = connect(redis_server)
    _caretakers[redis_server].flushall()
    return redis_server


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    """Return a client of an empty server."""
    with connect(redis_url) as client:
        yield client


@pytest.fixture
def queue(redis: Redis) -> Queue:
    """Return a queue without jobs."""
    return Queue(redis)


@pytest.fixture(scope="session")
def quick_makepkg_folder() -> Iterator[Path]:
    """Return a folder that every user can get to; pytest's own are for their owner only."""
    folder = Path(tempfile.mkdtemp(prefix="caur-makepkg-"))
    folder.chmod(0o711)
    yield install_quick_makepkg(folder)
    remove_tree(folder)


@pytest.fixture
def quick_makepkg(quick_makepkg_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let builds on this machine be those of a makepkg that looks for no mistakes in PKGBUILDs."""
    monkeypatch.setenv("PATH", f"{quick_makepkg_folder}:{os.environ['PATH']}")
