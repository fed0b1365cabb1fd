"""The half-hourly journey: look where packages come from, take over what is new, ask for builds.

read (repository, state, memory) → look (sources) → judge → apply (commits, made of git objects
only) → publish the branch, `state`, `caur` and the tag in one atomic push → write the hand-over
documents. Until the push, nothing has happened; when somebody else was faster, the decisions are
applied again to what they pushed, without looking outside once more.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from caur_ci.environment import Secrets
from caur_ci.errors import GitError, TemporaryError
from caur_ci.git import GitRepository
from caur_ci.pipeline.on_schedule.checkout import bring_forward, show_state
from caur_ci.pipeline.on_schedule.gate import pass_gate
from caur_ci.pipeline.on_schedule.pending_push import PushBuilder
from caur_ci.pipeline.on_schedule.planning import UpdatePlanner
from caur_ci.pipeline.on_schedule.reading import read_repository
from caur_ci.pipeline.on_schedule.sources import look_outside
from caur_ci.pipeline.on_schedule.trigger import schedule_triggered
from caur_ci.pipeline.shared.documents.folder import Documents, folder_in
from caur_ci.pipeline.shared.forge import ForgePipeline
from caur_ci.pipeline.shared.progress import Progress, Unwatched
from caur_ci.pipeline.shared.repository import RefSnapshot, SharedRepository
from caur_ci.pipeline.shared.state_branch import StateBranch
from caur_ci.update.hook import HookResult, run_hook
from caur_ci.update.recording import opened_outside

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from caur_ci.pipeline.on_schedule.pending_push import PendingPush
    from caur_ci.pipeline.on_schedule.plan import SchedulePlan
    from caur_ci.pipeline.on_schedule.reading import FollowedRepository
    from caur_ci.review import ReviewHost
    from caur_ci.update.recording import Outside

# How often the decisions are applied again because somebody else was faster.
_ATTEMPTS = 10
HOOK_TIMEOUT = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OnScheduleOptions:
    """What the caller wants.

    `remote` None means `origin`, or this repository if it has none. With `trigger`, only packages
    of that trigger are asked to be built. `force` leaves out the gate, `only` limits the run to
    some packages. `record` is a folder to keep every answer of the outside world in, `replay` one
    to take them from.
    """

    repo: Path
    remote: str | None = None
    push: bool = True
    dry_run: bool = False
    force: bool = False
    trigger: str = ""
    only: tuple[str, ...] = ()
    record: Path | None = None
    replay: Path | None = None
    environ: Mapping[str, str] = field(default_factory=dict)
    secrets: Secrets = field(default_factory=Secrets)
    progress: Progress = field(default_factory=Unwatched)
    reviews: ReviewHost | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnScheduleResult:
    """The plan, the documents that were written, and the commit that was published, if one was."""

    plan: SchedulePlan
    written: tuple[Path, ...] = ()
    published: bool = False
    commit: str = ""


def on_schedule(options: OnScheduleOptions) -> OnScheduleResult:
    """Run the pipeline for HEAD of `options.repo`.

    What goes wrong with single packages is in the plan. Raises GateError where on-commit has not
    dealt with all commits, ConfigError for a `.ci/config` that cannot be used, GitError where git
    fails, TemporaryError where other runs were faster each time: nothing was done then.
    """
    journey = _Journey(options)
    return journey.trigger() if options.trigger else journey.run()


class _Journey:
    """One run."""

    def __init__(self, options: OnScheduleOptions) -> None:
        self._options = options
        self._git = GitRepository.open(options.repo)
        self._head = self._git.commit_id("HEAD")
        self._base = self._head  # what the run works on
        self._pipeline = ForgePipeline.from_environment(options.environ)
        self._shared = SharedRepository.open(
            self._git,
            remote=options.remote,
            credentials=self._pipeline.credentials(options.secrets),
        )
        self._branch = self._pipeline.branch or self._git.branch() or "refs/heads/main"
        self._publishes = options.push and not (options.dry_run or options.replay)

    def trigger(self) -> OnScheduleResult:
        """Ask for builds of the packages of a trigger; this needs no gate."""
        done = schedule_triggered(
            self._git,
            self._shared,
            self._head,
            trigger=self._options.trigger,
            environ=self._options.environ,
            publish=self._publishes,
        )
        return OnScheduleResult(plan=done.plan, written=done.written, published=done.published)

    def run(self) -> OnScheduleResult:
        """Look, decide, and publish."""
        options = self._options
        with opened_outside(self._head, record=options.record, replay=options.replay) as outside:
            with ThreadPoolExecutor(1) as pool:  # the remote is far, and reading takes its time
                reading = pool.submit(self._read, self._head)
                snapshot = self._look_at_shared(outside)
            repository = reading.result() if self._base == self._head else self._read(self._base)
            builder = self._decided(repository, snapshot, outside)
            if not self._publishes:
                return OnScheduleResult(plan=builder.plan(builder.planned))
        return self._published(snapshot, builder)

    def _read(self, commit: str) -> FollowedRepository:
        return read_repository(self._git, commit, only=self._options.only)

    def _look_at_shared(self, outside: Outside) -> RefSnapshot:
        """Return where the refs are that all runs share, and see that this run may go on."""
        snapshot = RefSnapshot.from_dict(
            outside.fact("refs", lambda: self._shared.snapshot(self._branch).to_dict())
        )
        outside.keep(self._git, [snapshot.memory, snapshot.state, snapshot.branch, snapshot.tag])
        if snapshot.branch is None:
            raise GitError(
                f"there is no {self._branch} to publish in",
                hint="Run this on a branch that has been pushed.",
            )
        if not self._options.force:
            self._base = pass_gate(self._git, self._shared, snapshot, self._head)
        return snapshot

    def _decided(
        self, read: FollowedRepository, snapshot: RefSnapshot, outside: Outside
    ) -> PushBuilder:
        """Look at the sources and judge; return what turns that into a push."""
        options = self._options
        repository = read.with_state(
            StateBranch.read(self._git, snapshot.state), self._shared.memory(snapshot)
        )
        now = float(outside.fact("now", time.time))
        with look_outside(
            self._git, repository, outside, now=now, progress=options.progress
        ) as findings:
            planner = UpdatePlanner(
                self._git,
                repository,
                run_hook=partial(self._run_hook, outside),
                has_reviews=options.reviews is not None,
            )
            planned = planner.plan(findings, options.progress)
        return PushBuilder(
            git=self._git,
            shared=self._shared,
            repository=repository,
            planned=tuple(planned),
            branch=self._branch,
            pipeline=self._pipeline,
            environ=options.environ,
            secrets=options.secrets,
            now=now,
        )

    def _run_hook(self, outside: Outside, package: str, tree: str) -> HookResult:
        """Run a hook; in a replay, take what it left when it was recorded."""
        (ignored,) = self._git.read_blobs([f"{self._base}:.gitignore"])

        def run() -> dict[str, str]:
            done = run_hook(
                self._git,
                package=package,
                tree=tree,
                timeout=HOOK_TIMEOUT,
                secrets=self._options.secrets,
                ignored=ignored or b"",
            )
            return asdict(done)

        result = HookResult(**outside.fact(f"hook of {package} on {tree}", run))
        if result.tree != tree:
            outside.keep(self._git, [result.tree])
        return result

    def _published(self, snapshot: RefSnapshot, builder: PushBuilder) -> OnScheduleResult:
        """Push the push, made anew whenever somebody was faster."""
        with Documents(folder_in(self._git)) as folder:
            for _ in range(_ATTEMPTS):
                push = builder.build(snapshot)
                written = folder.write(
                    request=push.request,
                    schedule_params=push.schedule_params,
                    deptree=push.deptree,
                )
                options = self._pipeline.push_options()
                if not push.updates or self._shared.update(list(push.updates), options):
                    return self._followed_up(push, written)
                snapshot = self._shared.snapshot(self._branch)
            raise TemporaryError(
                f"other runs changed the branches first, {_ATTEMPTS} times", hint="Run it again."
            )

    def _followed_up(self, push: PendingPush, written: tuple[Path, ...]) -> OnScheduleResult:
        host = self._options.reviews
        if host is not None and push.reviews:
            host.open_requests(push.reviews)
        trouble = (
            bring_forward(self._git, self._head, push.commit),
            show_state(self._git, push.state),
        )
        notes = (*push.plan.notes, *(text for text in trouble if text))
        return OnScheduleResult(
            plan=replace(push.plan, notes=notes),
            written=written,
            published=bool(push.updates),
            commit=push.commit,
        )
