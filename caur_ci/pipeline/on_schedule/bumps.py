"""Which packages are bumped because of libraries. Makes git objects, changes no ref."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, InputError
from caur_ci.pipeline.on_schedule.libraries import LibraryNews
from caur_ci.pipeline.on_schedule.plan import ScheduleAction, ScheduleDecision
from caur_ci.pipeline.shared.folder_config import with_bump_in
from caur_ci.triggers.bumping import bumped_version, next_bump

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from caur_ci.git import GitRepository
    from caur_ci.pipeline.on_schedule.followed_repository import FollowedRepository
    from caur_ci.pipeline.on_schedule.planning import PlannedUpdate
    from caur_ci.pipeline.shared.memory.libraries import LibraryStep
    from caur_ci.update.source import FollowedPackage

# Fewer are never too many, however small the repository is.
_ALWAYS = 10
_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedBump:
    """What is done about a package that libraries concern.

    `tree` is its folder with the bump, in place of the folder `base`; empty where there is no bump,
    for the reason that `decision` tells. `reason` is for the commit message.
    """

    package: str
    decision: ScheduleDecision
    base: str = ""
    tree: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedBumps:
    """The bumps of a run.

    `news` is what they follow from. `updated` need none, as long as their updates are made: they
    are built in another version anyway. `dropped` never get one.
    """

    news: LibraryNews = field(default_factory=LibraryNews)
    bumps: tuple[PlannedBump, ...] = ()
    updated: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    @property
    def decisions(self) -> list[ScheduleDecision]:
        """What is decided about each package."""
        return [bump.decision for bump in self.bumps]


class BumpPlanner:
    """Decides about bumps in one repository.

    `confirmed` tells whether somebody has said that there may be very many. `frozen` are packages
    that nothing may be done about for now.
    """

    def __init__(
        self,
        git: GitRepository,
        repository: FollowedRepository,
        *,
        confirmed: bool,
        frozen: Collection[str] = (),
    ) -> None:
        self._git = git
        self._repository = repository
        self._confirmed = confirmed
        self._frozen = frozenset(frozen)

    def plan(self, news: LibraryNews, planned: Iterable[PlannedUpdate]) -> PlannedBumps:
        """Return what is done about everybody who waits for a bump."""
        waiting = news.after.waiting.steps
        concerned = [
            one
            for one in planned
            if one.package.name in waiting and one.package.name not in self._frozen
        ]
        managed = [one.package.name for one in concerned if one.package.config.manage_aur]
        updated = [one.package.name for one in concerned if _is_another_version(one)]
        left = [one for one in concerned if one.package.name not in {*managed, *updated}]
        unasked = [one for one in left if not _is_asked(waiting[one.package.name])]
        too_many = len(unasked) > self._most and not self._confirmed
        held = self._held(unasked, waiting) if too_many else []
        left_back = {bump.package for bump in held}
        bumps = [
            self._bump(one, waiting[one.package.name], news)
            for one in left
            if one.package.name not in left_back
        ]
        return PlannedBumps(
            news=news,
            bumps=(*held, *bumps),
            updated=frozenset(updated) - {*managed},
            dropped=frozenset(managed),
            notes=tuple(_not_bumped(name, waiting[name]) for name in managed),
        )

    @property
    def _most(self) -> int:
        config = self._repository.committed.config
        packages = len(self._repository.committed.folders.packages)
        return max(_ALWAYS, math.floor(packages * config.rebuild_share / 100))

    def _held(
        self, concerned: Sequence[PlannedUpdate], waiting: Mapping[str, Sequence[LibraryStep]]
    ) -> list[PlannedBump]:
        # The same words for all of them, so that they are told once.
        steps = {str(step) for one in concerned for step in waiting[one.package.name]}
        reason = (
            f"{len(concerned)} packages would be rebuilt at once ({_listed(sorted(steps))}), and "
            f"{self._most} may be (CI_REBUILD_SHARE): run on-schedule with --confirm-bumps, or "
            "CONFIRM_BUMPS=true, if that is meant"
        )
        return [
            PlannedBump(
                package=one.package.name,
                decision=ScheduleDecision(
                    package=one.package.name,
                    action=ScheduleAction.HELD,
                    reason=reason,
                    before=one.decision.before,
                ),
            )
            for one in concerned
        ]

    def _bump(
        self, one: PlannedUpdate, steps: Sequence[LibraryStep], news: LibraryNews
    ) -> PlannedBump:
        package = one.package
        try:
            return self._bumped(one, steps, news.published.get(package.name, ""))
        except CaurError as error:
            return PlannedBump(
                package=package.name,
                decision=ScheduleDecision(
                    package=package.name,
                    action=ScheduleAction.FAILED,
                    reason=f"it cannot be bumped for {_listed(steps)}: {error.message}",
                    before=one.decision.before,
                ),
            )

    def _bumped(
        self, one: PlannedUpdate, steps: Sequence[LibraryStep], published: str
    ) -> PlannedBump:
        package = one.package
        if package.fields is None:
            raise InputError("its .SRCINFO cannot be read")
        bump = next_bump(package.config, package.fields.version, published)
        base = one.tree if one.decision.action is ScheduleAction.UPDATE else package.tree
        config = self._repository.committed.config
        return PlannedBump(
            package=package.name,
            base=base,
            tree=with_bump_in(self._git, base, package.name, bump),
            reason=_message(steps, package),
            decision=ScheduleDecision(
                package=package.name,
                action=ScheduleAction.BUMP,
                reason=_told(steps),
                before=published or package.fields.version,
                after=bumped_version(bump, package.fields.version),
                builds=not package.config.on_trigger,
                build_class=package.config.build_class or config.default_class,
            ),
        )


def merged(
    decisions: Iterable[ScheduleDecision], bumps: Iterable[ScheduleDecision]
) -> list[ScheduleDecision]:
    """Return what is decided with the bumps in it: one decision each, unless there are two things
    to tell of a package.
    """
    found = {decision.package: decision for decision in decisions}
    more: list[ScheduleDecision] = []
    for bump in bumps:
        other = found.get(bump.package)
        both = other and _both(other, bump)
        if both:
            found[bump.package] = both
        else:
            more.append(bump)
    return [*found.values(), *more]


def _both(other: ScheduleDecision, bump: ScheduleDecision) -> ScheduleDecision | None:
    """Return one decision that says both, where that can be."""
    if other.action is ScheduleAction.UNCHANGED:
        return replace(bump, remarks=other.remarks, output=other.output)
    if bump.action is not ScheduleAction.BUMP:
        return None
    if other.action is ScheduleAction.BUILD:
        return replace(
            bump,
            reason=f"{bump.reason}; {other.reason}",
            link=other.link,
            remarks=other.remarks,
            output=other.output,
        )
    if other.action is ScheduleAction.UPDATE:
        remark = f"bumped to {bump.after}, {bump.reason}"
        return replace(other, remarks=(*other.remarks, remark))
    return None


def _is_another_version(one: PlannedUpdate) -> bool:
    """Tell whether a package is about to be built in another version, which needs no bump."""
    decision = one.decision
    return decision.action is ScheduleAction.UPDATE and decision.after != decision.before


def _is_asked(steps: Sequence[LibraryStep]) -> bool:
    """Tell whether somebody asked for the bump, whatever number of others there are."""
    return any(step.asked for step in steps)


def _told(steps: Sequence[LibraryStep]) -> str:
    return f"triggered by {_listed(steps)}"


def _message(steps: Sequence[LibraryStep], package: FollowedPackage) -> str:
    """Return why a package is bumped, in the form of the existing system."""
    is_own = any((step.by or step.library) in package.config.rebuild_triggers for step in steps)
    names = ", ".join(step.library for step in steps[:_SHOWN]) + _more(steps)
    ways = ", ".join(f"{step.before} → {step.after}" for step in steps[:_SHOWN])
    return f"{'explicit' if is_own else 'global'}, triggered by {names} ({ways})"


def _listed(steps: Sequence[object]) -> str:
    return ", ".join(map(str, steps[:_SHOWN])) + _more(steps)


def _more(steps: Sequence[object]) -> str:
    return f" and {len(steps) - _SHOWN} more" if len(steps) > _SHOWN else ""


def _not_bumped(package: str, steps: Sequence[LibraryStep]) -> str:
    return (
        f"{package} is not bumped for {_listed(steps)}: with CI_MANAGE_AUR, its pkgrel is raised "
        "in the PKGBUILD"
    )
