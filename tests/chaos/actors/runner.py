"""Publishes nothing: takes what has landed and what is to be removed, and ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scheduler.job import Outcome
from scheduler.queue import JobResult
from tests.chaos.actors.actor import Actor
from tests.chaos.actors.worker import told
from tests.chaos.journal import LOST, OK, STALE

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
        self._finish([claim for claim in claims or [] if self._publish(claim)])

    def _publish(self, claim: Claim) -> bool:
        """Do with the job whatever it is to be, and tell whether it is to be finished."""
        fate = self._fate()
        if fate == _RELEASE:
            answer, _ = self.retry_while_held(
                "release", lambda: self.queue.release(claim, "not now"), told(claim)
            )
            # Then it is said out of turn, and has to be refused.
            return answer == OK
        if fate == _FINISH:
            self.say("renew", lambda: self.queue.renew(claim), told(claim))
        return fate == _FINISH

    def _finish(self, claims: list[Claim]) -> None:
        results = [
            JobResult(
                claim,
                Outcome.FAILED if self.chance.random() < 0.05 else Outcome.SUCCESS,
                "as it was to be",
            )
            for claim in claims
        ]

        def answers(stale: list[Claim]) -> list[str]:
            return [STALE if claim in stale else OK for claim in claims]

        while results:
            words = [told(each.claim) | {"outcome": int(each.outcome)} for each in results]
            heard = self.say_of_all(
                "finish", lambda: self.queue.finish_all(results), words, answers
            )
            if heard != LOST:
                break

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
