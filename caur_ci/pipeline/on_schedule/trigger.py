"""Runs with a trigger: they build the packages that wait for it, and look at nothing else."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.pipeline.on_schedule.followed_repository import read_repository
from caur_ci.pipeline.on_schedule.options import OnScheduleOptions, OnScheduleResult
from caur_ci.pipeline.on_schedule.plan import ScheduleAction, ScheduleDecision, SchedulePlan
from caur_ci.pipeline.shared.context import RunContext
from caur_ci.pipeline.shared.documents.handover import handover_documents
from caur_ci.pipeline.shared.publishing import publish

if TYPE_CHECKING:
    from caur_ci.git import RefUpdate
    from caur_ci.pipeline.on_schedule.followed_repository import FollowedRepository
    from caur_ci.pipeline.shared.documents.handover import HandoverDocuments
    from caur_ci.pipeline.shared.refs import RefSnapshot


def on_trigger(options: OnScheduleOptions, trigger: str) -> OnScheduleResult:
    """Ask for builds of the packages at HEAD whose CI_ON_TRIGGER is `trigger`.

    It needs no gate, and the tag stays where it is. Raises what on-schedule does, but for the gate.
    """
    context = RunContext.open(options)
    repository = read_repository(context.git, context.head)
    plan = plan_triggered(repository, trigger)
    if not options.publishes:
        return OnScheduleResult(plan=plan)
    documents = handover_documents(
        context,
        plan.builds(),
        commit=repository.commit,
        tree=repository.committed.deptree,
        config=repository.committed.config,
    )

    run = f"trigger {trigger}"
    entries = plan.ledger_entries(run=run, link=context.forge_pipeline.url, now=time.time())

    def push(snapshot: RefSnapshot) -> _TriggeredPush:
        if documents.request.is_empty:
            return _TriggeredPush(documents, ())
        memory = context.shared.memory(snapshot).with_run(documents.request, entries)
        updates = context.shared.memory_update(snapshot, memory, repository.committed.identity)
        return _TriggeredPush(documents, updates)

    done = publish(context, context.shared.snapshot(), push)
    return OnScheduleResult(plan=plan, written=done.written, published=done.pushed)


def plan_triggered(repository: FollowedRepository, trigger: str) -> SchedulePlan:
    """Return the plan of a run with `trigger`: builds, and what is broken and might wait for it."""
    decisions = [
        ScheduleDecision(
            package=name,
            action=ScheduleAction.BUILD,
            reason=f"trigger {trigger}",
            before=package.fields.version if package.fields else "",
            builds=True,
            build_class=package.config.build_class or repository.committed.config.default_class,
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
        head=repository.commit,
        trigger=trigger,
        decisions=(*decisions, *broken),
        warnings=repository.warnings,
        notes=() if decisions else (f"no package has CI_ON_TRIGGER={trigger}",),
    )


@dataclass(frozen=True, slots=True)
class _TriggeredPush:
    """Branch `caur` with the request in its outbox; nothing where nothing is asked for."""

    documents: HandoverDocuments
    updates: tuple[RefUpdate, ...]
