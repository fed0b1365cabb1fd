"""Packages that stay as they are: because somebody said so in a review, or put them on hold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from caur_ci.pipeline.on_schedule.plan import ScheduleAction
from caur_ci.pipeline.shared.decision import PackageAction, PackageDecision
from caur_ci.pipeline.shared.memory.holds import Hold, told_of
from caur_ci.policy import Action

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caur_ci.pipeline.on_schedule.planning import PlannedUpdate
    from caur_ci.pipeline.shared.memory.holds import Holds

PROPOSES = frozenset(
    {ScheduleAction.UPDATE, ScheduleAction.REVIEW, ScheduleAction.HELD, ScheduleAction.ALARM}
)


def apply_holds(planned: Iterable[PlannedUpdate], holds: Holds) -> tuple[PlannedUpdate, ...]:
    """Return what is done about the packages, given which are on hold now, and which were."""
    return tuple(_as_held(one, holds) for one in planned)


def released_builds(planned: Iterable[PlannedUpdate], holds: Holds) -> list[PackageDecision]:
    """Return the builds that were left out on hold, of packages that are not built anyway.

    Such a package is built as it is, whatever its source has.
    """
    return [
        PackageDecision(
            one.package.name,
            PackageAction.BUILD,
            told_of(holds.released[one.package.name]),
            one.decision.build_class,
        )
        for one in planned
        if one.package.name in holds.released and not one.decision.builds
    ]


def hold_vanished(holds: Holds, planned: Iterable[PlannedUpdate], *, now: float) -> Holds:
    """Return the holds with packages that are gone from their source, and were not on hold yet.

    `now` is in Unix seconds.
    """
    for one in planned:
        name = one.package.name
        if one.vanished is not Action.APPLY and holds.get(name) is None:
            hold = Hold("caur-ci", int(now), one.decision.reason, automatic=True)
            holds = holds.with_hold(name, hold)
    return holds


def frozen(one: PlannedUpdate, reason: str, *, page: str = "") -> PlannedUpdate:
    """Return it with nothing done about new files, which are seen again as long as that is so."""
    if one.decision.action in PROPOSES:
        return replace(held(one, reason, page=page), seen=None, state={})
    if one.decision.action is ScheduleAction.UNCHANGED:
        # There is nothing that the existing system could miss.
        return replace(held(one, reason, page=page), seen=one.seen or one.package.seen)
    return remarked(one, reason)


def held(one: PlannedUpdate, reason: str, *, page: str = "") -> PlannedUpdate:
    """Return it with new files left where they are."""
    decision = replace(
        one.decision,
        action=ScheduleAction.HELD,
        reason=reason,
        link=page or one.decision.link,
        builds=False,
    )
    return replace(one, decision=decision, tree="", merges="")


def remarked(one: PlannedUpdate, remark: str) -> PlannedUpdate:
    """Return it with something more to tell."""
    remarks = (*one.decision.remarks, remark)
    return replace(one, decision=replace(one.decision, remarks=remarks))


def _as_held(one: PlannedUpdate, holds: Holds) -> PlannedUpdate:
    hold = holds.get(one.package.name)
    if hold is not None:
        if one.decision.action is ScheduleAction.BUILD:  # it is asked for again afterwards
            return replace(held(one, str(hold)), seen=None, state={})
        return frozen(one, str(hold))
    left_out = holds.released.get(one.package.name)
    if left_out is None or one.decision.builds:
        return one
    if one.decision.action is not ScheduleAction.UNCHANGED:
        return remarked(one, f"built as it is, {told_of(left_out)}")
    decision = replace(
        one.decision, action=ScheduleAction.BUILD, reason=told_of(left_out), builds=True
    )
    return replace(one, decision=decision)
