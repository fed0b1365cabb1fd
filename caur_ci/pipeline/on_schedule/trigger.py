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
from caur_ci.pipeline.shared.memory.holds import Holds
from caur_ci.pipeline.shared.publishing import publish

if TYPE_CHECKING:
    from caur_ci.git import RefUpdate
    from caur_ci.pipeline.on_schedule.followed_repository import FollowedRepository
    from caur_ci.pipeline.shared.documents.handover import HandoverDocuments
    from caur_ci.pipeline.shared.memory.holds import Hold
    from caur_ci.pipeline.shared.refs import RefSnapshot
    from caur_ci.update.source import FollowedPackage


def on_trigger(options: OnScheduleOptions, trigger: str) -> OnScheduleResult:
    """Ask for builds of the packages at HEAD whose CI_ON_TRIGGER is `trigger`.

    It needs no gate, and the tag stays where it is. Raises what on-schedule does, but for the gate.
    """
    context = RunContext.open(options)
    repository = read_repository(context.git, context.head)
    if options.replay:  # from which nothing is known of what is remembered
        return OnScheduleResult(plan=plan_triggered(repository, trigger, Holds()))
    snapshot = context.shared.snapshot()
    if not options.publishes:
        holds = context.shared.memory(snapshot).holds
        return OnScheduleResult(plan=plan_triggered(repository, trigger, holds))

    def push(snapshot: RefSnapshot) -> _TriggeredPush:
        return _push(context, repository, trigger, snapshot)

    done = publish(context, snapshot, push)
    return OnScheduleResult(plan=done.push.plan, written=done.written, published=done.pushed)


def plan_triggered(repository: FollowedRepository, trigger: str, holds: Holds) -> SchedulePlan:
    """Return the plan of a run with `trigger`: builds, and what is broken and might wait for it."""
    decisions = [
        _decision(repository, package, trigger, holds.get(name))
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


def _decision(
    repository: FollowedRepository, package: FollowedPackage, trigger: str, hold: Hold | None
) -> ScheduleDecision:
    return ScheduleDecision(
        package=package.name,
        action=ScheduleAction.BUILD if hold is None else ScheduleAction.HELD,
        reason=f"trigger {trigger}" if hold is None else str(hold),
        before=package.fields.version if package.fields else "",
        builds=hold is None,
        build_class=package.config.build_class or repository.committed.config.default_class,
    )


@dataclass(frozen=True, slots=True)
class _TriggeredPush:
    """Branch `caur` with the request in its outbox; nothing where nothing is asked for."""

    plan: SchedulePlan
    documents: HandoverDocuments
    updates: tuple[RefUpdate, ...]


def _push(
    context: RunContext, repository: FollowedRepository, trigger: str, snapshot: RefSnapshot
) -> _TriggeredPush:
    memory = context.shared.memory(snapshot)
    plan = plan_triggered(repository, trigger, memory.holds)
    documents = handover_documents(context, plan.builds(), repository.committed)
    held = {it.package for it in plan.decisions if it.action is ScheduleAction.HELD}
    if documents.request.is_empty and not held:
        return _TriggeredPush(plan, documents, ())
    run = f"trigger {trigger}"
    entries = plan.ledger_entries(run=run, link=context.forge_pipeline.url, now=time.time())
    memory = memory.with_run(documents.request, entries)
    memory = memory.with_holds(memory.holds.leaving_out(dict.fromkeys(held, run)))
    updates = context.shared.memory_update(snapshot, memory, repository.committed.identity)
    return _TriggeredPush(plan, documents, updates)
