"""The half-hourly journey: look where packages come from, take over what is new, ask for builds.

read (repository, state, memory) → look (sources) → plan → apply (commits, made of git objects
only) → write the hand-over documents in `.ci/` → publish the branch, `state`, `caur` and the tag in
one atomic push → bring review requests and the AUR up to date. Until the push, nothing has
happened; when somebody else was faster, the decisions are applied again to what they pushed,
without looking outside once more. The documents of a run that fails to push are removed.
"""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from caur_ci.errors import GitError
from caur_ci.judge.limited import LimitedJudge
from caur_ci.pipeline.aur_pushing.journey import follow_up
from caur_ci.pipeline.aur_pushing.round import AurRound
from caur_ci.pipeline.on_schedule.bumps import BumpPlanner
from caur_ci.pipeline.on_schedule.followed_repository import read_repository
from caur_ci.pipeline.on_schedule.freezing import apply_holds
from caur_ci.pipeline.on_schedule.gate import pass_gate
from caur_ci.pipeline.on_schedule.hooks import HookRunner
from caur_ci.pipeline.on_schedule.libraries import LibraryNews, look_at_libraries
from caur_ci.pipeline.on_schedule.losses import look_at_losses, with_losses
from caur_ci.pipeline.on_schedule.options import OnScheduleOptions, OnScheduleResult
from caur_ci.pipeline.on_schedule.pending_push import RUN, PushBuilder
from caur_ci.pipeline.on_schedule.planning import UpdatePlanner
from caur_ci.pipeline.on_schedule.provenance import Provenance
from caur_ci.pipeline.on_schedule.release_sources import ReleaseServers
from caur_ci.pipeline.on_schedule.review_words import frozen_packages
from caur_ci.pipeline.on_schedule.reviews import Reviews
from caur_ci.pipeline.on_schedule.sources import look_at_sources
from caur_ci.pipeline.shared.checkout import advance_checkout, check_out_state
from caur_ci.pipeline.shared.context import RunContext
from caur_ci.pipeline.shared.publishing import publish
from caur_ci.pipeline.shared.refs import RefSnapshot
from caur_ci.update.recording import opened_outside

if TYPE_CHECKING:
    from caur_ci.pipeline.on_schedule.followed_repository import FollowedRepository
    from caur_ci.pipeline.on_schedule.pending_push import PendingPush
    from caur_ci.pipeline.shared.publishing import Published
    from caur_ci.update.recording import Outside


def on_schedule(options: OnScheduleOptions) -> OnScheduleResult:
    """Run the pipeline for HEAD of `options.repo`.

    What goes wrong with single packages is in the plan. Raises GateError where on-commit has not
    dealt with all commits; ConfigError for a `.ci/config` or a policy that cannot be used;
    InputError for unknown names in `only`, a bare repository, an outbox that cannot be read, and as
    on-commit does for commits that were pushed meanwhile; RecordingError for a recording that
    cannot be used; CaurError where a document cannot be written; GitError where git fails;
    TemporaryError where the remote is out of reach or other runs were faster each time. Nothing was
    done then.
    """
    context = RunContext.open(options)
    outside_world = opened_outside(context.head, record=options.record, replay=options.replay)
    with outside_world as outside:
        snapshot, repository = _read(context, options, outside)
        reviews = Reviews.hear(context, options, outside, snapshot, repository)
        with ThreadPoolExecutor(1) as pool:
            looking = pool.submit(_libraries, context, options, snapshot, repository, outside)
            builder = _decide(
                context, options, outside, repository, reviews=reviews, libraries=looking
            )
        if not options.publishes:
            planned = apply_holds(builder.planned, reviews.memory.holds)
            plan = builder.schedule_plan(planned, notes=reviews.notes)
            problems = tuple(map(context.secrets.redact, builder.problems))
            return OnScheduleResult(plan=plan, problems=problems)
    done = publish(context, snapshot, builder.build, branch=context.branch)
    return _follow_up(context, reviews, builder, done)


def _read(
    context: RunContext, options: OnScheduleOptions, outside: Outside
) -> tuple[RefSnapshot, FollowedRepository]:
    """Read the refs that all runs share, and the packages at the commit that may be worked on."""
    with ThreadPoolExecutor(1) as pool:  # the remote is far, and reading takes its time
        reading = pool.submit(read_repository, context.git, context.head, only=options.only)
        snapshot = _snapshot(context, outside)
        commit = context.head if options.force else pass_gate(context, snapshot)
    repository = reading.result()
    if commit != context.head:
        repository = read_repository(context.git, commit, only=options.only)
    return snapshot, repository.with_state(context, snapshot)


def _snapshot(context: RunContext, outside: Outside) -> RefSnapshot:
    snapshot = RefSnapshot.from_dict(
        outside.fact("refs", lambda: context.shared.snapshot(context.branch).to_dict())
    )
    outside.keep(context.git, [snapshot.memory, snapshot.state, snapshot.branch, snapshot.tag])
    if snapshot.branch is None:
        raise GitError(
            f"there is no {context.branch} to publish in",
            hint="Run this on a branch that has been pushed.",
        )
    return snapshot


def _decide(
    context: RunContext,
    options: OnScheduleOptions,
    outside: Outside,
    repository: FollowedRepository,
    *,
    reviews: Reviews,
    libraries: Future[LibraryNews],
) -> PushBuilder:
    """Look at the sources and plan; return what turns the plan into a push."""
    now = float(outside.fact("now", time.time))
    config = repository.committed.config
    looking = look_at_sources(
        context.git,
        repository,
        outside,
        now=now,
        progress=options.progress,
        servers=ReleaseServers.of(config, context.environ, context.secrets),
        secrets=options.secrets,
    )
    with looking as findings, LimitedJudge() as judge:
        provenance = Provenance(repository, findings, now=now)
        planner = UpdatePlanner(
            context.git,
            repository,
            run_hook=HookRunner.of(context, outside, repository.committed),
            judge=judge,
            provenance=provenance,
            now=now,
            has_reviews=reviews.has_forge,
        )
        planned = planner.decide(findings, options.progress)
        heard = reviews.take(planned)
        bumps = BumpPlanner(
            context.git,
            repository,
            confirmed=options.confirm_bumps,
            frozen=frozen_packages(heard) | reviews.memory.holds.packages.keys(),
        ).plan(libraries.result(), heard.planned)
    return PushBuilder(
        context=context,
        repository=repository,
        heard=heard,
        provenance=provenance,
        now=now,
        bumps=bumps,
    )


def _libraries(
    context: RunContext,
    options: OnScheduleOptions,
    snapshot: RefSnapshot,
    repository: FollowedRepository,
    outside: Outside,
) -> LibraryNews:
    """Look at libraries. A run for some packages does not: the others would miss the news."""
    if options.only:
        return LibraryNews()
    news = look_at_libraries(context, snapshot, repository, outside)
    return with_losses(news, look_at_losses(repository, news.before.linkage, outside))


def _follow_up(
    context: RunContext, reviews: Reviews, builder: PushBuilder, done: Published[PendingPush]
) -> OnScheduleResult:
    """Do what may only happen after the push has landed."""
    push = done.push
    trouble = (
        advance_checkout(context.git, context.head, push.commit),
        check_out_state(context.git, push.state),
    )
    requests = reviews.follow_up(push)
    config = builder.repository.committed.config
    aur = follow_up(context, config, AurRound(run=RUN, now=builder.now))
    notes = (*push.plan.notes, *reviews.notes, *requests.notes, *(it for it in trouble if it))
    redacted = context.secrets.redact
    return OnScheduleResult(
        plan=replace(push.plan, notes=tuple(map(redacted, notes))),
        written=done.written,
        published=done.pushed,
        commit=push.commit,
        problems=tuple(map(redacted, (*builder.problems, *requests.problems))),
        pages=requests.pages,
        aur=aur,
    )
