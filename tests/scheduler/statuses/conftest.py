"""Fixtures of commit statuses: a forge of each kind, and what is told to it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from scheduler.forges import GitHubRepository, GitLabProject
from scheduler.logs import LogStore
from scheduler.outbox import Outbox
from scheduler.settings.telling import ForgeKind, StatusNotifier
from scheduler.statuses.following import OUTBOX, StatusFollower
from scheduler.statuses.github import GitHubStatuses
from scheduler.statuses.gitlab import GitLabStatuses
from scheduler.statuses.sending import StatusSender
from tests.support.clock import Clock
from tests.support.forges.model import Forge
from tests.support.forges.server import TOKEN, serving
from tests.support.forges.statuses import ForgejoStatusApi, GitHubStatusApi, GitLabStatusApi

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from scheduler.queue import Queue
    from scheduler.statuses.forge import StatusForge
    from tests.support.forges.statuses import Status

LOGS = "https://builds.example.org/logs.html"
KINDS: tuple[ForgeKind, ...] = (ForgeKind.GITLAB, ForgeKind.GITHUB, ForgeKind.FORGEJO)
_APIS: dict[ForgeKind, Any] = {
    ForgeKind.GITLAB: GitLabStatusApi,
    ForgeKind.GITHUB: GitHubStatusApi,
    ForgeKind.FORGEJO: ForgejoStatusApi,
}


@dataclass
class Shown:
    """A forge, and its client. Every call has to be of the right shape."""

    kind: ForgeKind
    api: Any
    forge: Forge
    client: StatusForge

    @property
    def statuses(self) -> list[Status]:
        found: list[Status] = self.api.statuses
        return found


@contextmanager
def forge_of_kind(kind: ForgeKind) -> Iterator[Shown]:
    """Run a forge on loopback."""
    forge = Forge(None)
    with serving(_APIS[kind], forge) as server:
        client: StatusForge
        if kind is ForgeKind.GITLAB:
            client = GitLabStatuses(GitLabProject(server.api.url, "7", TOKEN))
        else:
            repository = GitHubRepository(server.api.url, "owner/name", TOKEN, pauses=(0.0, 0.0))
            client = GitHubStatuses(repository)
        yield Shown(kind, server.api, forge, client)
    assert forge.wrong == []


@pytest.fixture(params=KINDS, ids=str)
def there(request: pytest.FixtureRequest) -> Iterator[Shown]:
    """A forge of each kind."""
    with forge_of_kind(request.param) as shown:
        yield shown


@pytest.fixture
def gitlab() -> Iterator[Shown]:
    """GitLab."""
    with forge_of_kind(ForgeKind.GITLAB) as shown:
        yield shown


@dataclass
class Telling:
    """Commit statuses of a queue, as one process has them."""

    queue: Queue
    follower: StatusFollower
    sender: StatusSender
    outbox: Outbox
    clock: Clock

    def follow(self) -> None:
        """Take note of what has happened."""
        while events := self.queue.events(self.follower.position()):
            self.follower.consume(events)

    def send(self, *, later: float = 0.0) -> None:
        """Set what waits, after so many seconds."""
        self.clock.now += later
        self.sender.send(lambda: True)

    def tell(self) -> None:
        """Do both."""
        self.follow()
        self.send()


def telling_of(redis: Redis, queue: Queue, there: Shown, clock: Clock) -> Telling:
    """Return a process that tells a forge about builds of `source`."""
    outbox = Outbox(redis, OUTBOX)
    notifier = StatusNotifier(
        source_repo="source",
        forge=there.kind,
        server="",
        project="",
        token=TOKEN,
        check_name="awesome-repo: %pkgbase%",
    )
    follower = StatusFollower(queue, outbox, ["source"], clock=clock)
    sender = StatusSender(
        outbox,
        {"source": notifier},
        {"source": there.client},
        LogStore(redis),
        logs_url=LOGS,
        clock=clock,
    )
    follower.position()
    return Telling(queue, follower, sender, outbox, clock)


@pytest.fixture
def clock(redis: Redis) -> Clock:
    """Return a clock that begins with that of the server."""
    seconds, _ = redis.time()
    return Clock(float(seconds))


@pytest.fixture
def telling(redis: Redis, queue: Queue, gitlab: Shown, clock: Clock) -> Telling:
    """Return a process that tells GitLab."""
    return telling_of(redis, queue, gitlab, clock)
