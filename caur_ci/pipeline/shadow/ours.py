"""What this project would do now, worked out without changing anything, and kept in a file."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

from caur_ci.errors import InputError
from caur_ci.pipeline.on_commit.journey import OnCommitOptions, on_commit
from caur_ci.pipeline.on_schedule.journey import on_schedule
from caur_ci.pipeline.on_schedule.options import OnScheduleOptions
from caur_ci.pipeline.on_schedule.plan import ScheduleAction
from caur_ci.pipeline.shadow.effects import Deed, Effect
from caur_ci.pipeline.shared.context import RunContext
from caur_ci.pipeline.shared.decision import PackageAction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caur_ci.pipeline.on_commit.plan import CommitPlan
    from caur_ci.pipeline.on_schedule.plan import ScheduleDecision, SchedulePlan
    from caur_ci.pipeline.shared.options import RunOptions

_VERSION = 1
_DEEDS = {
    ScheduleAction.UPDATE: {Deed.UPDATE},
    ScheduleAction.BUMP: {Deed.BUMP},
    # Without a forge to ask, what needs a review is held on its branch.
    ScheduleAction.REVIEW: {Deed.REVIEW},
    ScheduleAction.HELD: {Deed.REVIEW},
}


class Journey(StrEnum):
    """Which pipeline the plan is beside."""

    ON_COMMIT = "on-commit"
    ON_SCHEDULE = "on-schedule"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowPlan:
    """What would be done at the commit `head`, by package.

    `tag` and `reviews` are where the tag `scheduled` and the branches of reviews were, `planned` is
    when, in Unix seconds.
    """

    journey: Journey
    head: str
    tag: str = ""
    planned: int = 0
    reviews: Mapping[str, str] = field(default_factory=dict)
    effects: Mapping[str, Effect] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Return the plan as a file."""
        document = {
            "version": _VERSION,
            "journey": self.journey.value,
            "head": self.head,
            "tag": self.tag,
            "planned": self.planned,
            "reviews": dict(self.reviews),
            "effects": {name: _to_dict(effect) for name, effect in sorted(self.effects.items())},
            "notes": list(self.notes),
        }
        return json.dumps(document, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, *, origin: str) -> Self:
        """Read such a file. Raises InputError."""
        try:
            data: dict[str, Any] = json.loads(text)
            if data["version"] != _VERSION:
                raise InputError(f"{origin} was made by another version of caur-ci")
            return cls(
                journey=Journey(data["journey"]),
                head=str(data["head"]),
                tag=str(data["tag"]),
                planned=int(data["planned"]),
                reviews={str(name): str(commit) for name, commit in data["reviews"].items()},
                effects={str(name): _from_dict(it) for name, it in data["effects"].items()},
                notes=tuple(map(str, data["notes"])),
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(
                f"{origin} is no plan of caur-ci shadow: {error!r}",
                hint="`caur-ci shadow plan FILE` makes one, before the other pipeline runs.",
            ) from error


def shadow_plan(options: RunOptions, journey: Journey | None = None) -> ShadowPlan:
    """Work out what would be done at HEAD. Writes nothing but objects that git collects.

    By default it is on-commit where the tag `scheduled` is not at HEAD, and on-schedule otherwise.
    Raises what these do, but for the gate.
    """
    context = RunContext.open(options)
    snapshot = context.shared.snapshot(context.branch)
    tag = context.git.commit_id(snapshot.tag) if snapshot.tag else ""
    if journey is None:
        journey = Journey.ON_SCHEDULE if tag == context.head else Journey.ON_COMMIT
    run = {name: getattr(options, name) for name in ("repo", "remote", "environ", "secrets")}
    if journey is Journey.ON_COMMIT:
        plan = on_commit(OnCommitOptions(**run, dry_run=True, default_names=True)).plan
        effects, notes = effects_of_commits(plan), plan.notes
    else:
        result = on_schedule(OnScheduleOptions(**run, dry_run=True, force=True))
        effects = effects_of_schedule(result.plan)
        notes = (*result.plan.notes, *result.problems)
    return ShadowPlan(
        journey=journey,
        head=context.head,
        tag=tag,
        planned=int(time.time()),
        reviews=snapshot.reviews,
        effects=effects,
        notes=tuple(map(context.secrets.redact, notes)),
    )


def effects_of_commits(plan: CommitPlan) -> dict[str, Effect]:
    """Return what on-commit does."""
    deeds = {PackageAction.BUILD: {Deed.BUILD}, PackageAction.REMOVE: {Deed.REMOVE}}
    return {
        decision.package: Effect(
            deeds=frozenset(deeds.get(decision.action, ())),
            build_class=decision.build_class or "",
            reason=decision.reason,
        )
        for decision in plan.decisions
    }


def effects_of_schedule(plan: SchedulePlan) -> dict[str, Effect]:
    """Return what on-schedule does to packages that there is anything to tell of."""
    found: dict[str, Effect] = {}
    for decision in plan.reportable:
        effect = _effect(decision)
        known = found.get(decision.package)
        if known is not None:
            effect = replace(
                effect,
                deeds=known.deeds | effect.deeds,
                version=known.version or effect.version,
                reason=f"{known.reason}; {effect.reason}",
            )
        found[decision.package] = effect
    return found


def _effect(decision: ScheduleDecision) -> Effect:
    deeds = frozenset(_DEEDS.get(decision.action, ()))
    return Effect(
        deeds=deeds | ({Deed.BUILD} if decision.builds else frozenset()),
        version=decision.after if Deed.UPDATE in deeds else "",
        build_class=decision.build_class or "",
        reason=f"{decision.action.value}: {decision.account}",
    )


def _to_dict(effect: Effect) -> dict[str, Any]:
    return {
        "deeds": sorted(effect.deeds),
        "version": effect.version,
        "build_class": effect.build_class,
        "reason": effect.reason,
    }


def _from_dict(data: Mapping[str, Any]) -> Effect:
    return Effect(
        deeds=frozenset(map(Deed, data["deeds"])),
        version=str(data["version"]),
        build_class=str(data["build_class"]),
        reason=str(data["reason"]),
    )
