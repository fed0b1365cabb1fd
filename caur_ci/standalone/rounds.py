"""Building until nothing is left to do: hand over, follow, bring to readers, and look again."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from caur_ci.pipeline.handover import hand_over
from caur_ci.standalone.bringing import bring
from caur_ci.standalone.settling import Settler
from caur_ci.standalone.share import share_of
from scheduler.hosting.lease import LEASE
from scheduler.hosting.needed import fetch_needed
from scheduler.job import JobState, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caur_ci.pipeline.shared.context import RunContext
    from caur_ci.request import BuildRequest
    from caur_ci.standalone.board import JobBoard
    from caur_ci.standalone.lease import Lease
    from caur_ci.standalone.progress import Progress
    from caur_ci.standalone.report import PackageResult
    from caur_ci.standalone.settings import Setting
    from caur_ci.standalone.source import SharedSource
    from caur_ci.standalone.system import BuildSide
    from scheduler.hosting.protocol import PublishingTarget
    from scheduler.queue import Event

_GLANCE = 0.5
# Recalls and commits that come while builds go on count as well.
_SOURCE_EVERY = 300.0
# As long as an upload by others may be heard of no more, and some minutes for a last one.
_PATIENCE = LEASE + 300.0


@dataclass(frozen=True, slots=True)
class Deadline:
    """When builds stop, by the monotonic clock, and how many seconds publishing has then."""

    at: float
    for_publishing: float

    @classmethod
    def never(cls) -> Self:
        """Return one that does not come; publishing has an hour where something breaks it off."""
        return cls(math.inf, 3600.0)

    @property
    def has_come(self) -> bool:
        """Whether builds are to stop."""
        return time.monotonic() >= self.at


@dataclass(slots=True, kw_only=True)
class Rounds:
    """The rounds of one run, and what has come of them so far.

    `packages` are results by architecture and folder, `left` says why others were not dealt with,
    `published` where something was brought to.
    """

    context: RunContext
    lease: Lease
    source: SharedSource
    setting: Setting
    side: BuildSide
    target: PublishingTarget | None
    board: JobBoard
    progress: Progress
    deadline: Deadline
    publish_every: float
    packages: dict[tuple[str, str], PackageResult] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)
    published: str = ""
    out_of_time: bool = False
    _handed_over: set[str] = field(default_factory=set)
    _settler: Settler = field(init=False)

    def __post_init__(self) -> None:
        self._settler = Settler(
            queue=self.side.queue,
            logs=self.side.logs,
            folder=self.setting.work.logs,
            elsewhere={},
            refused={},
            failed_removals={},
        )

    def build(self) -> None:
        """Go on until nothing is left to do, or the time is over.

        Raises TemporaryError where another run has begun, ProcessError where a worker has ended,
        and what the publishing target raises.
        """
        seen = self.side.queue.last_event_id()
        while new := self._new_requests():
            number = sum(len(it.packages) for it in new)
            self.progress.begin(f"Building {number} package{'s' if number != 1 else ''}")
            self._hand_over(new)
            seen = self._follow(seen)
            if self.out_of_time:
                self.progress.begin("The time is over: handing back what is not built")
                self.side.stop_building(within=self.deadline.for_publishing / 2)
            self._settle()
            if self.out_of_time:
                return

    def _new_requests(self) -> Sequence[BuildRequest]:
        """Return what is asked for and was not handed over yet, also by others meanwhile."""
        share = share_of(self.lease.memory().outbox.requests, self.setting.architectures)
        new = [
            it
            for it in share.requests
            if it.request_id not in self._handed_over
            and it.target_repo in self.setting.targets
            and it.source_repo in self.setting.sources
            and not it.is_empty
        ]
        ids = {it.request_id for it in new}
        left = {build: why for build, why in share.left.items() if build[0] in ids}
        self._settler.elsewhere.update(left)
        return new

    def _hand_over(self, requests: Sequence[BuildRequest]) -> None:
        self.source.renew(it.commit for it in requests)
        self._fetch_needed(requests)
        for submission in hand_over(self.side.queue, requests).submissions:
            self._settler.refused.update({it.identity: it for it in submission.refused})
        self._handed_over.update(it.request_id for it in requests)

    def _fetch_needed(self, requests: Sequence[BuildRequest]) -> None:
        """Bring what builds need here, where they cannot get it as readers do."""
        if self.target is None or self.target.server:
            return
        for name in sorted(self.setting.targets):
            packages = [it for r in requests if r.target_repo == name for it in r.packages]
            needs = {need for it in packages for need in it.depends}
            came = fetch_needed(self.target, self.setting.repo_path, name, needs)
            if came:
                self.progress.begin(f"Fetched for builds: {', '.join(came)}")

    def _follow(self, seen: str) -> str:
        """Watch until nothing goes on any more, and return the last event."""
        now = time.monotonic()
        next_publication, next_look = now + self.publish_every, now + _SOURCE_EVERY
        while not self.side.is_idle():
            for event in self.side.queue.events(seen, block=_GLANCE):
                seen = event.id
                self._take_in(event)
            self.side.check()
            self.lease.check()
            self.out_of_time = self.deadline.has_come
            if self.out_of_time:
                break
            if time.monotonic() > next_look:
                self.source.renew()
                next_look = time.monotonic() + _SOURCE_EVERY
            if time.monotonic() > next_publication:
                self._settle()
                next_publication = time.monotonic() + self.publish_every
        for event in self.side.queue.events(seen):
            seen = event.id
            self._take_in(event)
        return seen

    def _take_in(self, event: Event) -> None:
        moved = self.board.apply(event)
        if moved is not None:
            self.progress.moved(moved)
        elif _is_failed_removal(event):
            self._settler.failed_removals[event.request_id] = event.reason or "it failed"

    def _settle(self) -> None:
        """Bring to readers what was done, and take it out of the outbox."""
        memory = self.lease.memory()
        settled = self._settler.settled(
            it for it in memory.outbox.requests if it.request_id in self._handed_over
        )
        link = self.context.forge_pipeline.url
        if settled.packages or settled.removals:
            self.lease.change(
                lambda memory, run: settled.before_publishing(
                    memory, run, link=link, now=time.time()
                )
            )
        if settled.changes_something:
            self._bring()
            self.lease.change(settled.after_publishing)
        self.packages.update({it.build: it for it in settled.packages})
        self.removed += [name for names in settled.removals.values() for name in names]
        self.left = dict(settled.left)

    def _bring(self) -> None:
        if self.target is None:
            self.published = str(self.setting.repo_path)
            return
        self.progress.begin(f"Publishing at {self.target.address}")
        for name in sorted(self.setting.targets):
            done = bring(
                self.target,
                self.setting.repo_path,
                name,
                grace=self.side.grace,
                who=self.context.forge_pipeline.url,
                patience=min(_PATIENCE, self.deadline.for_publishing),
                waiting=self._wait_for,
            )
            if not done.is_empty:
                self.published = self.target.address

    def _wait_for(self, message: str) -> None:
        self.progress.begin(f"Waiting: {message}")
        self.lease.check()


def _is_failed_removal(event: Event) -> bool:
    ended = event.kind == "removal" and event.state is JobState.DONE
    return ended and event.outcome is not Outcome.SUCCESS
