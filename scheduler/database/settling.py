"""Telling the queue what became of deliveries."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.errors import InputError
from scheduler.database.handback import hand_back, temporary, told
from scheduler.job import FailureClass, JobState, Outcome, Publication
from scheduler.queue import BuildNotes, JobResult, StaleClaimError, stale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler.database.delivery_verifier import VerifiedDelivery
    from scheduler.database.expecting import Expected
    from scheduler.database.generations import Generation
    from scheduler.heartbeat import Heartbeat
    from scheduler.landing import LandingZone
    from scheduler.queue import Claim, Queue

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settling:
    """What one who holds claims says about them; what is somebody else's by now is left alone."""

    queue: Queue
    landing: LandingZone
    heartbeat: Heartbeat

    def check_held(self, claims: Sequence[Claim]) -> None:
        """Raise StaleClaimError if one of the claims is lost."""
        renewals = self.heartbeat.retry_while_any_held(claims, lambda: self.queue.renew_all(claims))
        for claim, renewal in zip(claims, renewals, strict=True):
            if renewal is None:
                raise stale(claim)

    def published(
        self, deliveries: Sequence[tuple[Claim, VerifiedDelivery]], generation: Generation
    ) -> None:
        """End the jobs of deliveries that are in a generation; nobody needs these any more."""
        self.finish([_result(claim, delivery, generation) for claim, delivery in deliveries])
        for claim, _ in deliveries:
            self.landing.remove(claim.delivery)

    def staged(self, claims: Sequence[Claim]) -> None:
        """Let the others of the groups go on; what is not needed any more is removed."""
        with suppress(StaleClaimError):
            states = self.heartbeat.retry_while_any_held(claims, lambda: self.queue.stage(claims))
            for claim, state in states.items():
                _log.info("%s: %s", claim.identity, state or "lost")
                if state is JobState.DONE:
                    self.landing.remove(claim.delivery)

    def reject(self, rejected: Sequence[tuple[Claim, str]]) -> None:
        """End the jobs of deliveries that must not be published, and keep these aside."""
        for claim, reason in rejected:
            with suppress(InputError):  # its very name may be what is wrong
                self.landing.set_aside(claim.delivery, reason)
        self.finish(
            [
                JobResult(claim, Outcome.FAILED, f"not published: {reason}", FailureClass.DELIVERY)
                for claim, reason in rejected
            ]
        )

    def unpublished(self, expected: Expected) -> None:
        """End or hand back what could not be looked up. Raises TemporaryError."""
        self.reject(expected.refused)
        for claim, error in expected.unreachable:
            hand_back(self.queue, [claim], self.heartbeat, told(error))
        for claim, error in expected.unreachable:
            raise temporary(claim.spec.target_repo, claim.spec.arch, error)

    def finish(self, results: Sequence[JobResult]) -> None:
        """End jobs."""
        for result in results:
            reason = f": {result.reason}" if result.reason else ""
            _log.info("%s: %s%s", result.claim.identity, result.outcome.name, reason)
        claims = [result.claim for result in results]
        with suppress(StaleClaimError):
            self.heartbeat.retry_while_any_held(claims, lambda: self.queue.finish_all(results))


def _result(claim: Claim, delivery: VerifiedDelivery, published: Generation) -> JobResult:
    if delivery.changes_nothing:
        return JobResult(claim, Outcome.ALREADY_BUILT, delivery.remark)
    entries = [published.packages[name] for name in delivery.brought if name in published.packages]
    publication = Publication(
        generation=published.number, files=tuple(entry.as_published for entry in entries)
    )
    notes = BuildNotes(publication=publication)
    return JobResult(claim, Outcome.SUCCESS, delivery.remark, notes=notes)
