"""How the packages came out of a run: those that fail again and again, or stay behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.pipeline.on_schedule.plan import ScheduleAction
from caur_ci.pipeline.shared.memory.troubles import Outcome, Standing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from caur_ci.config import RepositoryConfig
    from caur_ci.pipeline.on_schedule.plan import ScheduleDecision
    from caur_ci.pipeline.shared.memory.troubles import Troubles

_A = ScheduleAction
_BEHIND = frozenset({_A.REVIEW, _A.HELD, _A.ALARM, _A.WAITING})
# The files stay as they are, and so does what waits in a review.
_AS_IT_WAS = frozenset({_A.UNCHANGED, _A.BUILD, _A.BUMP})
_NAMED = 5


def outcomes(
    decisions: Iterable[ScheduleDecision], *, in_review: Collection[str]
) -> Iterator[Outcome]:
    """Yield what became of each package; those `in_review` have a change that waits for people."""
    for decision in decisions:
        if decision.action is _A.FAILED:
            yield Outcome(decision.package, Standing.FAILED, decision.reason)
        elif decision.action in _BEHIND:
            yield Outcome(decision.package, Standing.AHEAD, decision.reason)
        elif decision.action in _AS_IT_WAS and decision.package in in_review:
            yield Outcome(decision.package, Standing.AHEAD)
        else:
            yield Outcome(decision.package, Standing.FINE)


def stale_notes(troubles: Troubles, config: RepositoryConfig, now: float) -> Iterator[str]:
    """Yield a sentence about the packages that are stale, if there are any."""
    stale = troubles.stale(failures=config.stale_failures, days=config.stale_days, now=now)
    if not stale:
        return
    names = [*stale]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    yield (
        f"{', '.join(names[:_NAMED])}{more}: fail for {config.stale_failures} runs or more, or are "
        f"behind upstream for {config.stale_days} days or more (`caur-ci stale` tells why)"
    )
