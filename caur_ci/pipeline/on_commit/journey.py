"""The journey of a pushed commit: find what changed, decide what to build, ask for it.

read (range, messages, folders, configuration) → plan → write the hand-over documents → publish
the tag `scheduled` and the outbox in one atomic push. The queue is not needed for it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.environment import Secrets
from caur_ci.git import RefUpdate
from caur_ci.pipeline.on_commit.planning import CommitPlanner
from caur_ci.pipeline.shared.context import RunContext
from caur_ci.pipeline.shared.publishing import publish
from caur_ci.pipeline.shared.repository import SCHEDULED_TAG

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from caur_ci.pipeline.on_commit.plan import CommitPlan
    from caur_ci.pipeline.shared.documents.handover import HandoverDocuments
    from caur_ci.pipeline.shared.repository import RefSnapshot

RUN = "on-commit"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCommitOptions:
    """What the caller wants.

    `remote` None means `origin`, or this repository if it has none. `environ` is where the forge's
    variables are looked up, and those of the tunnel to Redis.
    """

    repo: Path
    remote: str | None = None
    push: bool = True
    dry_run: bool = False
    environ: Mapping[str, str] = field(default_factory=dict)
    secrets: Secrets = field(default_factory=Secrets)


@dataclass(frozen=True, slots=True)
class OnCommitResult:
    """The plan, the documents that were written, and whether tag and outbox were published."""

    plan: CommitPlan
    written: tuple[Path, ...] = ()
    published: bool = False


def on_commit(options: OnCommitOptions) -> OnCommitResult:
    """Run the pipeline for HEAD of `options.repo`.

    Raises InputError for a deploy of a package that does not exist, ConfigError for configuration
    that cannot be used, GitError where git fails, TemporaryError where other runs were faster
    each time. The tag stays where it was in all of these cases.
    """
    context = RunContext.open(
        options.repo, remote=options.remote, environ=options.environ, secrets=options.secrets
    )
    with ThreadPoolExecutor(1) as pool:  # the remote may be far, reading takes its time as well
        asked = pool.submit(context.shared.snapshot)
        planner = CommitPlanner.at(context, context.head)
        snapshot = asked.result()
    if options.dry_run:
        return OnCommitResult(planner.plan(snapshot))
    done = publish(context, snapshot, lambda current: _push(planner, current, wanted=options.push))
    return OnCommitResult(done.push.plan, done.written, published=done.landed)


@dataclass(frozen=True, slots=True)
class _CommitPush:
    """The tag and branch `caur` as they are to be."""

    plan: CommitPlan
    updates: tuple[RefUpdate, ...] = ()

    @property
    def documents(self) -> HandoverDocuments:
        return self.plan.documents


def _push(planner: CommitPlanner, snapshot: RefSnapshot, *, wanted: bool) -> _CommitPush:
    plan = planner.plan(snapshot)
    if not wanted or plan.commits.is_empty:
        return _CommitPush(plan)
    context = planner.context
    entries = plan.ledger_entries(run=RUN, link=context.pipeline.url)
    memory = context.shared.memory(snapshot).with_run(plan.request, entries)
    return _CommitPush(
        plan,
        (
            RefUpdate(SCHEDULED_TAG, plan.commits.head, snapshot.tag),
            *context.shared.memory_update(snapshot, memory, planner.repository.identity),
        ),
    )
