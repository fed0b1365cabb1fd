"""The journey of a pushed commit: find what changed, decide what to build, ask for it.

read (range, messages, folders, configuration) → plan → write the hand-over documents → publish
the tag `scheduled` and the outbox in one atomic push → bring the AUR up to date. The queue is not
needed for it.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.errors import ConfigError
from caur_ci.git import RefUpdate
from caur_ci.pipeline.aur_pushing.journey import follow_up
from caur_ci.pipeline.aur_pushing.outcome import AurReport
from caur_ci.pipeline.aur_pushing.round import AurRound
from caur_ci.pipeline.on_commit.planning import CommitPlanner
from caur_ci.pipeline.shared.context import RunContext
from caur_ci.pipeline.shared.options import RunOptions
from caur_ci.pipeline.shared.publishing import publish
from caur_ci.pipeline.shared.refs import SCHEDULED_TAG

if TYPE_CHECKING:
    from pathlib import Path

    from caur_ci.config import RepositoryConfig
    from caur_ci.pipeline.on_commit.plan import CommitPlan
    from caur_ci.pipeline.shared.documents.handover import HandoverDocuments
    from caur_ci.pipeline.shared.refs import RefSnapshot

RUN = "on-commit"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCommitOptions(RunOptions):
    """What the caller wants of on-commit.

    `default_names` lets a first run go on whose `.ci/config` names no repository.
    """

    default_names: bool = False


@dataclass(frozen=True, slots=True)
class OnCommitResult:
    """The plan, the documents that were written, whether tag and outbox were published, and what
    was pushed to the AUR.
    """

    plan: CommitPlan
    written: tuple[Path, ...] = ()
    published: bool = False
    aur: AurReport = field(default_factory=AurReport)


def on_commit(options: OnCommitOptions) -> OnCommitResult:
    """Run the pipeline for HEAD of `options.repo`.

    Raises InputError for a deploy of a package that does not exist, a bare repository, and an
    outbox that cannot be read; ConfigError for a `.ci/config` that cannot be used, or that names
    no repository at the first run; CaurError where a document cannot be written; GitError where
    git fails; TemporaryError where the remote is out of reach or other runs were faster each time.
    The tag stays where it was in all these cases.
    """
    context = RunContext.open(options)
    with ThreadPoolExecutor(1) as pool:  # the remote may be far, reading takes its time as well
        asked = pool.submit(context.shared.snapshot)
        planner = CommitPlanner.at(context, context.head)
        snapshot = asked.result()
    if snapshot.tag is None and not options.default_names:
        _check_names(planner.repository.config)
    if options.dry_run:
        return OnCommitResult(planner.plan(snapshot))
    done = publish(context, snapshot, lambda current: _push(planner, current, wanted=options.push))
    aur = AurReport()
    if options.push:
        aur = follow_up(context, planner.repository.config, AurRound(run=RUN, now=time.time()))
    return OnCommitResult(done.push.plan, done.written, published=done.pushed, aur=aur)


def _check_names(config: RepositoryConfig) -> None:
    """Raise ConfigError where nobody has said which repository packages are published in."""
    if config.repo_name or config.build_repo:
        return
    raise ConfigError(
        f"{config.FILE} names no repository: everything would be asked for in "
        f"{config.target_repo}, the default",
        hint="Commit a .ci/config with the lines REPO_NAME=NAME (the pacman repository to publish "
        "in) and BUILD_REPO=NAME (what the build side calls this repository), or say "
        "--on-unknown-config default.",
    )


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
    entries = plan.ledger_entries(run=RUN, link=context.forge_pipeline.url, now=time.time())
    memory = context.shared.memory(snapshot).with_run(plan.request, entries)
    memory = memory.with_holds(memory.holds.leaving_out(plan.on_hold))
    return _CommitPush(
        plan,
        (
            RefUpdate(SCHEDULED_TAG, plan.commits.head, snapshot.tag),
            *context.shared.memory_update(snapshot, memory, planner.repository.identity),
        ),
    )
