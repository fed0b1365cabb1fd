"""Publishes nothing: takes what has landed and what is to be removed, and ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scheduler.job import Outcome
from tests.chaos.actors.actor import Actor
from tests.chaos.actors.worker import told
from tests.chaos.journal import OK

if TYPE_CHECKING:
    from scheduler.queue import Claim, RemovalClaim

_DOOM = 0.01
_FINISH, _RELEASE, _FORGET = "finish", "release", "forget"
_FATES = {_FINISH: 94, _RELEASE: 4, _FORGET: 2}


class Runner(Actor):
    """One database runner."""

    def __init__(self) -> None:
        super().__init__(doom=_DOOM)

    def run(self) -> None:
        """Publish until killed."""
        while True:
            self.reap()
            self._removals()
            self._landed()

    def _landed(self) -> None:
        limit = self.chance.choice((1, 5, 50))
        _, claims = self.say(
            "publish",
            lambda: self.queue.claim_landed(
                self.id, wait=self.chance.uniform(0.1, 1.0), limit=limit
            ),
            result=_told_claims,
        )
        for claim in claims or []:
            self._publish(claim)

    def _publish(self, claim: Claim) -> None:
        fate = self._fate()
        if fate == _RELEASE:
            answer, _ = self.retry_while_held(
                "release", lambda: self.queue.release(claim, "not now"), told(claim)
            )
            if answer == OK:
                self._finish(claim)
        elif fate == _FINISH:
            self.say("renew", lambda: self.queue.renew(claim), told(claim))
            self._finish(claim)

    def _finish(self, claim: Claim) -> None:
        failed = self.chance.random() < 0.05
        outcome = Outcome.FAILED if failed else Outcome.SUCCESS
        self.retry_while_held(
            "finish",
            lambda: self.queue.finish(claim, outcome, "as it was to be"),
            told(claim) | {"outcome": int(outcome)},
        )

    def _removals(self) -> None:
        _, claims = self.say(
            "remove",
            lambda: self.queue.claim_removals(self.id),
            result=_told_removals,
        )
        for claim in claims or []:
            fate = self._fate()
            if fate == _RELEASE:
                self._about(claim, "release_removal")
            elif fate == _FINISH:
                self._about(claim, "finish_removal")

    def _about(self, claim: RemovalClaim, kind: str) -> None:
        def action() -> None:
            if kind == "release_removal":
                self.queue.release(claim, "not now")
            else:
                self.queue.finish_removal(claim, removed=claim.removal.remove)

        self.retry_while_held(kind, action, _told(claim))

    def _fate(self) -> str:
        return self.chance.choices(list(_FATES), list(_FATES.values()))[0]


def _told_claims(claims: list[Claim] | None) -> dict[str, Any]:
    return {"claims": [told(claim) for claim in claims or ()]}


def _told_removals(claims: list[RemovalClaim] | None) -> dict[str, Any]:
    return {"removals": [_told(claim) for claim in claims or ()]}


def _told(claim: RemovalClaim) -> dict[str, Any]:
    return {"removal": claim.removal_id, "token": claim.token}


if __name__ == "__main__":
    Runner().run()
