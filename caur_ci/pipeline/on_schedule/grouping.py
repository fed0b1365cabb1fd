"""Which of the packages that a run has built are published together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from caur_ci.pipeline.on_schedule.plan import ScheduleAction
from caur_ci.rebuild import rebuild_groups

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from caur_ci.config import RepositoryConfig
    from caur_ci.deptree import DependencyTree
    from caur_ci.pipeline.on_schedule.bumps import PlannedBumps
    from caur_ci.pipeline.on_schedule.plan import ScheduleDecision
    from caur_ci.pipeline.shared.memory.libraries import LibraryStep

# What all those have in common that somebody asked for.
_ASKED = "asked"


def grouped(
    decisions: Iterable[ScheduleDecision],
    bumps: PlannedBumps,
    tree: DependencyTree,
    config: RepositoryConfig,
) -> list[ScheduleDecision]:
    """Return the decisions, with groups for what is rebuilt because of libraries."""
    decisions = list(decisions)
    waiting = bumps.news.after.waiting.steps
    rebuilt = {
        decision.package: waiting[decision.package]
        for decision in decisions
        if decision.builds and decision.package in waiting and _is_rebuild(decision, bumps)
    }
    groups = rebuild_groups({name: _causes(steps) for name, steps in rebuilt.items()}, tree)
    group_of = {member: name for name, members in groups.items() for member in members}
    publish = {name: _publish(members, rebuilt, config) for name, members in groups.items()}
    return [
        replace(decision, group=group_of[decision.package], publish=publish[group])
        if (group := group_of.get(decision.package))
        else decision
        for decision in decisions
    ]


def group_notes(decisions: Iterable[ScheduleDecision]) -> list[str]:
    """Return what is told of groups."""
    members: dict[str, list[str]] = {}
    for decision in decisions:
        if decision.group:
            members.setdefault(decision.group, []).append(decision.package)
    return [
        f"published together, as the rebuild group {group}: {', '.join(sorted(names))}"
        for group, names in sorted(members.items())
    ]


def _is_rebuild(decision: ScheduleDecision, bumps: PlannedBumps) -> bool:
    if decision.action is ScheduleAction.BUMP:
        return True
    updates = decision.action is ScheduleAction.UPDATE
    return updates and decision.package not in bumps.dropped


def _causes(steps: Sequence[LibraryStep]) -> set[str]:
    """Return what a package is rebuilt for; a library by its name, whatever its versions."""
    asked = {_ASKED} if any(step.asked for step in steps) else set()
    return {step.library for step in steps} | asked


def _publish(
    members: Iterable[str],
    rebuilt: Mapping[str, Sequence[LibraryStep]],
    config: RepositoryConfig,
) -> str:
    """Return how a group is published: as somebody asked for, or else as is configured."""
    asked = {step.asked for name in members for step in rebuilt[name] if step.asked}
    return min(asked, default=config.rebuild_publish)
