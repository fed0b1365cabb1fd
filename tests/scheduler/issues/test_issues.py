"""A package that fails has an issue for as long as it does, at each kind of forge."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from scheduler.forges import GitHubRepository, GitLabProject
from scheduler.issues import OUTBOX, IssueFollower, IssueSender, sending
from scheduler.issues.tracker import GitHubTracker, GitLabTracker
from scheduler.job import FailureClass, Outcome
from scheduler.logs import LogStore
from scheduler.outbox import Outbox, Patience
from scheduler.settings.telling import ForgeKind, StatusNotifier
from tests.support.forges.issues import ForgejoIssueApi, GitHubIssueApi, GitLabIssueApi, Issue
from tests.support.forges.model import Fault, Forge
from tests.support.forges.server import TOKEN, serving
from tests.support.queue import COMMIT, claimed, job, submit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from scheduler.issues.tracker import Tracker
    from scheduler.queue import Queue

DAY = 86400.0
KINDS = (ForgeKind.GITLAB, ForgeKind.GITHUB, ForgeKind.FORGEJO)
_APIS: dict[ForgeKind, Any] = {
    ForgeKind.GITLAB: GitLabIssueApi,
    ForgeKind.GITHUB: GitHubIssueApi,
    ForgeKind.FORGEJO: ForgejoIssueApi,
}


@dataclass
class Site:
    """A queue, a forge, and a process that tells the one about the other."""

    queue: Queue
    forge: Forge
    api: Any
    follower: IssueFollower
    sender: IssueSender
    outbox: Outbox
    now: float = 0.0

    @property
    def issues(self) -> list[Issue]:
        found: list[Issue] = self.api.issues.all
        return found

    def build(self, *names: str, outcome: Outcome = Outcome.FAILED, **more: Any) -> None:  # noqa: ANN401 - fields of a job
        submit(self.queue, *(job(name, **more) for name in names))
        failure = FailureClass.COMPILE if outcome is Outcome.FAILED else None
        for _ in names:
            reason = "it *breaks* @all <b>" if failure else ""
            self.queue.finish(claimed(self.queue), outcome, reason, failure=failure)
        while events := self.queue.events(self.follower.position()):
            self.follower.consume(events)

    def tell(self, *, later: float = 0.0) -> None:
        self.now += later
        self.sender.send(lambda: True)


@contextmanager
def site_of(kind: ForgeKind, redis: Redis, queue: Queue) -> Iterator[Site]:
    forge = Forge()
    with serving(_APIS[kind], forge) as server:
        tracker: Tracker
        if kind is ForgeKind.GITLAB:
            tracker = GitLabTracker(GitLabProject(server.api.url, "7", TOKEN))
        else:
            project = GitHubRepository(server.api.url, "owner/name", TOKEN, pauses=(0.0, 0.0))
            tracker = GitHubTracker(project, knows_labels=kind is ForgeKind.GITHUB)
        notifier = StatusNotifier(
            source_repo="source",
            forge=kind,
            server="",
            project="",
            token=TOKEN,
            issues=True,
            mention=("me", "group/people"),
        )
        outbox = Outbox(redis, OUTBOX)
        follower = IssueFollower(queue, outbox, ["source"])
        site = Site(queue, forge, server.api, follower, None, outbox)  # type: ignore[arg-type]
        site.now = float(redis.time()[0])
        site.sender = IssueSender(
            outbox,
            {"source": notifier},
            {"source": tracker},
            LogStore(redis),
            repository_urls={"source": "https://example.org/g/p.git"},
            logs_url="https://builds.example.org/logs.html",
            clock=lambda: site.now,
        )
        follower.position()
        yield site
    assert forge.wrong == []


@pytest.fixture(params=KINDS, ids=str)
def site(request: pytest.FixtureRequest, redis: Redis, queue: Queue) -> Iterator[Site]:
    with site_of(request.param, redis, queue) as made:
        yield made


@pytest.fixture
def gitlab(redis: Redis, queue: Queue) -> Iterator[Site]:
    with site_of(ForgeKind.GITLAB, redis, queue) as made:
        yield made


def test_from_the_first_failure_to_the_publication(site: Site) -> None:
    site.build("a")
    site.tell()
    (issue,) = site.issues
    assert issue.title == "a does not build for repo/x86_64"
    assert "`a` has failed once since" in issue.body
    assert "cc @me @group/people" in issue.body
    assert issue.labels == ([] if isinstance(site.api, ForgejoIssueApi) else ["build-failure"])

    site.build("a")
    site.tell()
    assert len(site.issues) == 1
    assert "`a` has failed 2 times since" in issue.body

    site.build("a", outcome=Outcome.SUCCESS)
    site.tell()
    assert not issue.is_open
    url = f"https://example.org/g/p/-/commit/{COMMIT}"
    assert issue.comments == [f"`a` is published, as of [{COMMIT[:12]}]({url})."]
    assert site.outbox.size() == 0


def test_it_is_opened_again_within_a_week(site: Site) -> None:
    site.build("a")
    site.tell()
    site.build("a", outcome=Outcome.ALREADY_BUILT)
    site.tell()
    site.build("a")
    site.tell(later=6 * DAY)

    (issue,) = site.issues
    assert issue.is_open
    assert "has failed once" in issue.body


def test_after_a_week_it_is_another_one(gitlab: Site) -> None:
    gitlab.build("a")
    gitlab.tell()
    gitlab.build("a", outcome=Outcome.SUCCESS)
    # As if that had been long ago.
    gitlab.tell(later=-8 * DAY)
    gitlab.build("a")
    gitlab.tell(later=8 * DAY)

    assert [issue.is_open for issue in gitlab.issues] == [False, True]


def test_requests_are_closed_once_the_package_is_published(site: Site) -> None:
    wanted = [
        site.api.issues.add(title) for title in ("[Rebuild] A", "[rebuild] a ", "[Rebuild] b")
    ]
    other = site.api.issues.add("[Rebuild] a and more")
    site.build("a")
    site.tell()
    assert all(issue.is_open for issue in wanted)

    site.build("a", outcome=Outcome.SUCCESS)
    site.tell()

    assert [issue.is_open for issue in wanted] == [False, False, True]
    assert other.is_open
    assert "is published" in wanted[0].comments[0]


def test_a_pull_request_is_no_request(redis: Redis, queue: Queue) -> None:
    with site_of(ForgeKind.GITHUB, redis, queue) as site:
        site.api.issues.add("[Rebuild] a").is_pull_request = True
        site.build("a", outcome=Outcome.SUCCESS)
        site.tell()

        assert site.issues[0].is_open


def test_what_a_build_says_means_nothing(gitlab: Site) -> None:
    gitlab.build("a")
    gitlab.tell()

    body = gitlab.issues[0].body
    assert "| why | `it *breaks* @all <b>` |" in body
    assert r"| how | the build failed\: compile |" in body


def test_a_failure_that_is_over_before_anybody_heard_of_it(gitlab: Site) -> None:
    gitlab.build("a")
    gitlab.build("a", outcome=Outcome.SUCCESS)
    gitlab.tell()

    assert gitlab.issues == []


def test_failures_during_an_outage_are_one_issue(gitlab: Site) -> None:
    gitlab.forge.faults.extend(Fault(502, body="{}") for _ in range(3))
    for _ in range(3):
        gitlab.build("a")
        gitlab.tell(later=3600)
    assert gitlab.issues == []
    assert [rest.failures for rest in Patience(gitlab.outbox).rests().values()] == [3]

    gitlab.tell(later=3600)

    assert "`a` has failed 3 times" in gitlab.issues[0].body
    assert gitlab.outbox.size() == 0


def test_where_everything_fails_there_are_not_so_many(
    gitlab: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_MOST_A_DAY", 3)
    gitlab.build(*(f"p{number}" for number in range(5)))
    gitlab.tell()

    assert len(gitlab.issues) == 3
    assert gitlab.outbox.size() == 0
    assert gitlab.outbox.counts()["dropped"] == 2


def test_an_answer_that_got_lost_makes_no_second_issue(gitlab: Site) -> None:
    gitlab.api.issues.add("a does not build for repo/x86_64")
    gitlab.build("a")
    gitlab.tell()

    (issue,) = gitlab.issues
    assert "has failed once" in issue.body


def test_canceled_builds_and_other_sources_say_nothing(gitlab: Site) -> None:
    gitlab.build("a", outcome=Outcome.CANCELED)
    gitlab.build("a", outcome=Outcome.SKIPPED)
    gitlab.build("b", source_repo="elsewhere")
    gitlab.tell()

    assert gitlab.forge.calls == []


def test_what_a_later_version_has_written_keeps_nobody_waiting(gitlab: Site) -> None:
    position = gitlab.follower.position()
    strange = {"repo/x86_64/x": "?", "repo/x86_64/y": '{"new": 1}'}
    gitlab.outbox.write(strange, notes={"repo/x86_64/a": "?"}, after=position, position=position)
    gitlab.build("a")
    gitlab.tell()

    assert len(gitlab.issues) == 1
    assert gitlab.outbox.size() == 0
