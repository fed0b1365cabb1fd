"""Runs with a trigger: they build the packages that wait for it, and look at nothing else."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.deptree import entries_of, write_wire
from caur_ci.errors import TemporaryError
from caur_ci.git import Identity
from caur_ci.pipeline.on_commit.plan import CommitAction, CommitDecision
from caur_ci.pipeline.on_schedule.plan import ScheduleAction, ScheduleDecision, SchedulePlan
from caur_ci.pipeline.on_schedule.reading import read_repository
from caur_ci.pipeline.shared.documents import legacy
from caur_ci.pipeline.shared.documents.assembly import build_request
from caur_ci.pipeline.shared.documents.folder import Documents, folder_in
from caur_ci.pipeline.shared.forge import ForgePipeline

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from caur_ci.git import GitRepository
    from caur_ci.pipeline.on_schedule.reading import FollowedRepository
    from caur_ci.pipeline.shared.repository import SharedRepository
    from caur_ci.request import BuildRequest

_ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class Triggered:
    """What a trigger led to."""

    plan: SchedulePlan
    written: tuple[Path, ...] = ()
    published: bool = False


def schedule_triggered(
    git: GitRepository,
    shared: SharedRepository,
    head: str,
    *,
    trigger: str,
    environ: Mapping[str, str],
    publish: bool,
) -> Triggered:
    """Ask for builds of the packages at `head` whose CI_ON_TRIGGER is `trigger`.

    The tag stays where it is. Raises TemporaryError where other runs were faster each time.
    """
    pipeline = ForgePipeline.from_environment(environ)
    repository = read_repository(git, head)
    plan = _plan(repository, trigger)
    if not publish:
        return Triggered(plan)
    request = _request(repository, plan, pipeline)
    config = repository.config
    with Documents(folder_in(git)) as folder:
        written = folder.write(
            request=request,
            schedule_params=legacy.schedule_params(
                request, config, keep=repository.folders.packages, environ=environ
            ),
            deptree=write_wire(entries_of(repository.tree)),
        )
        if not request:
            return Triggered(plan, written)
        for _ in range(_ATTEMPTS):
            if shared.remember(
                shared.snapshot(),
                request=request,
                decisions=plan.ledger_entries(
                    run=f"trigger {trigger}", link=pipeline.url, now=time.time()
                ),
                identity=Identity(config.author_name, config.author_email),
                push_options=pipeline.push_options(),
            ):
                return Triggered(plan, written, published=True)
        raise TemporaryError(
            f"other runs changed branch `caur` first, {_ATTEMPTS} times", hint="Run it again."
        )


def _plan(repository: FollowedRepository, trigger: str) -> SchedulePlan:
    decisions = [
        ScheduleDecision(
            package=name,
            action=ScheduleAction.BUILD,
            reason=f"trigger {trigger}",
            before=package.fields.version if package.fields else "",
            builds=True,
            build_class=package.config.build_class or repository.config.default_class,
        )
        for name, package in repository.packages.items()
        if package.config.on_trigger == trigger
    ]
    # One of them might wait for this trigger; nobody can tell.
    broken = [
        ScheduleDecision(package=name, action=ScheduleAction.FAILED, reason=reason)
        for name, reason in repository.broken.items()
    ]
    return SchedulePlan(
        head=repository.head,
        trigger=trigger,
        decisions=(*decisions, *broken),
        warnings=repository.warnings,
        notes=() if decisions else (f"no package has CI_ON_TRIGGER={trigger}",),
    )


def _request(
    repository: FollowedRepository, plan: SchedulePlan, pipeline: ForgePipeline
) -> BuildRequest:
    return build_request(
        [
            CommitDecision(
                decision.package, CommitAction.BUILD, decision.reason, decision.build_class
            )
            for decision in plan.decisions
            if decision.builds
        ],
        commit=repository.head,
        tree=repository.tree,
        config=repository.config,
        pipeline=pipeline,
    )
