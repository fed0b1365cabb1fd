"""How packages stand with the AUR as far as it is remembered, without asking anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.pipeline.aur_pushing.outcome import AurOutcome, AurState
from caur_ci.pipeline.shared.memory.aur_pushes import Obstacle

if TYPE_CHECKING:
    from caur_ci.pipeline.aur_pushing.managed import ManagedPackage
    from caur_ci.pipeline.shared.memory.aur_pushes import AurPush
    from caur_ci.pipeline.shared.memory.holds import Hold

_STATES: dict[str, AurState] = {
    Obstacle.WAITING: AurState.WAITING,
    Obstacle.REFUSED: AurState.REFUSED,
    Obstacle.DIVERGED: AurState.DIVERGED,
}


def remembered_standing(
    package: ManagedPackage, remembered: AurPush, hold: Hold | None
) -> AurOutcome:
    """Return how a package stands; one that is on hold waits, if there is anything to push."""
    state, reason, commit, since = AurState.IN_STEP, "", remembered.commit, 0
    obstacle = _STATES.get(remembered.obstacle)
    if obstacle is not None and remembered.wanted == package.tree:
        state = obstacle
        reason, since = remembered.reason, remembered.since
        commit = remembered.tip or commit
    elif not package.tree or remembered.tree != package.tree:
        state = AurState.TO_BE_PUSHED
    if hold is not None and state is not AurState.IN_STEP:
        state, reason, since = AurState.WAITING, held(hold), hold.since
    return AurOutcome(
        package=package.name,
        state=state,
        tree=package.tree,
        version=package.version,
        reason=reason,
        commit=commit,
        since=since,
        left_out=package.files.left_out,
        is_new=not remembered.commit,
        is_news=False,
    )


def held(hold: Hold) -> str:
    """Return why a package that is on hold is not pushed."""
    return f"it is {hold}"
