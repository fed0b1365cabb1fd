"""How a package stands with the AUR, and what came of pushing it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from caur_ci.pipeline.shared.memory.aur_pushes import Obstacle

if TYPE_CHECKING:
    from caur_ci.environment import Secrets


class AurState(StrEnum):
    """How a package stands with the AUR."""

    IN_STEP = "in step"
    PUSHED = "pushed"
    TO_BE_PUSHED = "to be pushed"
    WAITING = "waiting"
    REFUSED = "refused"
    DIVERGED = "diverged"


OBSTACLES = {
    AurState.WAITING: Obstacle.WAITING,
    AurState.REFUSED: Obstacle.REFUSED,
    AurState.DIVERGED: Obstacle.DIVERGED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AurOutcome:
    """How one package stands.

    `tree` are the files that the AUR should have and `version` theirs; `commit` is the AUR's, if it
    is known, and `is_new` tells that the AUR has no such package yet. `since` is when an obstacle
    began, in Unix seconds. `difference` shows what others changed, or what would be pushed;
    `left_out` are files of the folder that do not belong in the AUR. `answered` tells that the AUR
    itself has refused, `is_news` that earlier runs did not tell the same.
    """

    package: str
    state: AurState
    tree: str = ""
    version: str = ""
    reason: str = ""
    hint: str = ""
    commit: str = ""
    since: int = 0
    difference: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    is_new: bool = False
    answered: bool = False
    is_news: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AurReport:
    """What came of a round. `problems` concern all packages; somebody has to do something."""

    outcomes: tuple[AurOutcome, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def needs_somebody(self) -> bool:
        """Whether anything will not come right by itself."""
        stuck = {AurState.REFUSED, AurState.DIVERGED}
        return bool(self.problems) or any(it.state in stuck for it in self.outcomes)

    @property
    def waits(self) -> bool:
        """Whether anything is left for later."""
        return any(it.state is AurState.WAITING for it in self.outcomes)

    def redacted(self, secrets: Secrets) -> AurReport:
        """Return it without secrets."""
        return replace(
            self,
            outcomes=tuple(replace(it, reason=secrets.redact(it.reason)) for it in self.outcomes),
            problems=tuple(map(secrets.redact, self.problems)),
            notes=tuple(map(secrets.redact, self.notes)),
        )
