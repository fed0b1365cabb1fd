"""Builds nothing, in all the ways in which builds go."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

from scheduler.job import JobState, Outcome
from scheduler.queue import Claim, WorkerIdentity
from tests.chaos.actors.actor import Actor
from tests.chaos.journal import DRAINED, OK, STALE
from tests.chaos.settings import POISON, worker_class
from tests.chaos.workload import ARCHITECTURES

if TYPE_CHECKING:
    from collections.abc import Callable

_DOOM = 0.01
_LAND, _FINISH, _RELEASE, _OVERSTAY, _FORGET = "land", "finish", "release", "overstay", "forget"
_FATES = {_LAND: 70, _FINISH: 18, _RELEASE: 8, _OVERSTAY: 2, _FORGET: 2}
_OUTCOMES = (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.SKIPPED, Outcome.ALREADY_BUILT)


class Worker(Actor):
    """One worker process."""

    def __init__(self) -> None:
        super().__init__(doom=_DOOM)
        slot = int(self.part.removeprefix("worker"))
        self._me = WorkerIdentity(
            id=self.id,
            name=self.part,
            build_class=worker_class(slot),
            architectures=ARCHITECTURES,
        )
        self._is_dismissed = False
        signal.signal(signal.SIGTERM, self._dismiss)

    def run(self) -> None:
        """Build until told to end."""
        while not self._is_dismissed:
            self.reap()
            claim = self._claim()
            if claim is not None:
                self._build(claim)
        self.say("leave", lambda: self.queue.leave(self.id))

    def _claim(self) -> Claim | None:
        answer, claim = self.say(
            "claim",
            lambda: self.queue.claim(self._me, wait=self.chance.uniform(0.2, 2.0)),
            {"class": self._me.build_class, "name": self._me.name},
            result=_claims,
        )
        self._is_dismissed |= answer == DRAINED
        return claim

    def _build(self, claim: Claim) -> None:
        """Do with the job whatever it is to be."""
        if claim.spec.reason == POISON:
            os.kill(os.getpid(), signal.SIGKILL)
        (fate,) = self.chance.choices(list(_FATES), list(_FATES.values()))
        if fate == _FORGET:
            return
        if fate == _OVERSTAY:
            time.sleep(self.settings.lease * self.chance.uniform(1.0, 1.6))
        elif not self._work(claim):
            return
        if self._is_dismissed or fate == _RELEASE:
            self._release(claim)
        elif fate == _FINISH:
            self._finish(claim, self.chance.choice(_OUTCOMES))
        else:
            self.retry_while_held(*self._landing(claim, f"delivery-{claim.token}"), result=_state)

    def _work(self, claim: Claim) -> bool:
        """Take some time, and tell whether the job is still ours to end."""
        lease = self.settings.lease
        spans = ((0.005, 0.05), (0.1, lease / 2), (lease, lease * 1.5))
        (span,) = self.chance.choices(spans, (82, 14, 4))
        until = time.monotonic() + self.chance.uniform(*span)
        while (left := until - time.monotonic()) > 0 and not self._is_dismissed:
            time.sleep(min(left, lease / 4))
            answer, renewal = self.say("renew", lambda: self.queue.renew(claim), told(claim))
            if answer == STALE:
                if self.chance.random() < 0.5:
                    self._speak_out_of_turn(claim)
                return False
            if renewal is not None and renewal.cancel:
                self._finish(claim, Outcome.CANCELED)
                return False
        return True

    def _finish(self, claim: Claim, outcome: Outcome) -> None:
        self.retry_while_held(
            "finish",
            lambda: self.queue.finish(claim, outcome, "as it was to be"),
            told(claim) | {"outcome": int(outcome)},
        )

    def _release(self, claim: Claim) -> None:
        answer, _ = self.retry_while_held(
            "release", lambda: self.queue.release(claim, "handed back"), told(claim)
        )
        if answer == OK and self.chance.random() < 0.7:
            self._speak_out_of_turn(claim)

    def _speak_out_of_turn(self, claim: Claim) -> None:
        """Say something about a job that is not ours any more; it has to be refused."""
        if self.chance.random() < 0.5:
            self.say(*self._landing(claim, "stale"), result=_state)
        else:
            outcome = Outcome.SKIPPED
            self.say(
                "finish",
                lambda: self.queue.finish(claim, outcome, "stale"),
                told(claim) | {"outcome": int(outcome)},
            )

    def _landing(
        self, claim: Claim, delivery: str
    ) -> tuple[str, Callable[[], JobState], dict[str, Any]]:
        return "land", lambda: self.queue.land(claim, delivery), told(claim)

    def _dismiss(self, *_: object) -> None:
        self._is_dismissed = True


def _claims(claim: Claim | None) -> dict[str, Any]:
    return {"claims": [told(claim)] if claim is not None else []}


def _state(state: JobState) -> dict[str, Any]:
    return {"state": state.value}


def told(claim: Claim) -> dict[str, Any]:
    """Return what is written down about a claim."""
    return {"job": claim.job_id, "token": claim.token, "attempt": claim.attempt}


if __name__ == "__main__":
    Worker().run()
