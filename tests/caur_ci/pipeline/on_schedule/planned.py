"""Decisions about packages, as the planner makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.config import PackageConfig, PkgbuildSource
from caur_ci.pipeline.on_schedule.plan import ScheduleAction, ScheduleDecision
from caur_ci.pipeline.on_schedule.planning import PlannedUpdate
from caur_ci.review import ReviewPoint
from caur_ci.update.source import LastSeen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caur_ci.update.source import FollowedPackage as Package

AUR = PackageConfig(source=PkgbuildSource("aur"))


def planned_for(
    package: Package,
    action: ScheduleAction,
    *,
    tree: str = "",
    reasons: tuple[str, ...] = (),
    modified: int = 0,
    state: Mapping[str, str] | None = None,
    link: str = "",
) -> PlannedUpdate:
    """Return what is done about `package`, whose new folder is `tree`.

    `modified` is the time, in Unix seconds, that it is seen at now; 0 where nothing was seen.
    """
    return PlannedUpdate(
        package=package,
        decision=ScheduleDecision(
            package=package.name,
            action=action,
            reason="something",
            link=link,
            builds=action in {ScheduleAction.UPDATE, ScheduleAction.BUILD},
        ),
        tree=tree,
        seen=LastSeen(origin="there", modified=modified) if modified else None,
        state=state or {},
        reasons=reasons,
        points=tuple(ReviewPoint(message=reason) for reason in reasons),
    )
