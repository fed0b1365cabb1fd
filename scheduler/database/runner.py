"""The database runner: takes from the queue what is to be published and what is to go."""

from __future__ import annotations

import logging
import time
from itertools import groupby
from typing import TYPE_CHECKING

from caur_ci.errors import TemporaryError
from scheduler.database.orphans import OrphanSweeper
from scheduler.database.staging import Stager
from scheduler.database.upkeep import RepositoryUpkeep
from scheduler.queue import DrainedError
from scheduler.upkeep import Upkeep

if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event

    from scheduler.database.greeter import Greeter
    from scheduler.database.publishing import Publisher
    from scheduler.database.removing import Remover
    from scheduler.queue import Claim, RemovalClaim

_log = logging.getLogger(__name__)

# How long one call waits for work: also how long it may take to notice that it is to stop.
_CLAIM_WAIT = 2.0
_SWEPT_EVERY = 60.0
_SHORTEST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


class DatabaseRunner:
    """One database runner. Several may run; a lock lets one at a time change a repository."""

    def __init__(
        self,
        publisher: Publisher,
        remover: Remover,
        runner_id: str,
        stop: Event,
        *,
        greeter: Greeter | None = None,
    ) -> None:
        self._publisher = publisher
        self._remover = remover
        self._queue = publisher.queue
        self._targets = sorted(publisher.settings.target_repos)
        self._id = runner_id
        self._stop = stop
        self._pause = 0.0
        self._upkeep = Upkeep(self._queue, targets=self._targets)
        self._repositories = RepositoryUpkeep(publisher.settings, publisher.signer)
        self._greeter = greeter
        self._stager = Stager(publisher)
        self._next_sweep = time.monotonic()
        self._orphans = OrphanSweeper(self._queue, publisher.landing)

    def run(self, *, idle_exit: float | None = None) -> None:
        """Work until told to stop or drained, or for `idle_exit` seconds without anything to do.

        Raises ProtocolError.
        """
        idle_since = time.monotonic()
        wait = _CLAIM_WAIT if idle_exit is None else min(_CLAIM_WAIT, idle_exit)
        try:
            while not self._stop.is_set():
                if self.step(wait=wait):
                    idle_since = time.monotonic()
                elif idle_exit is not None and time.monotonic() - idle_since >= idle_exit:
                    break
        except DrainedError as error:
            _log.info("%s. %s", error.message, error.hint)
        else:
            self._upkeep.leave(self._id)

    def step(self, *, wait: float = 0.0) -> bool:
        """Do what there is to do, or wait for it; tell whether there was anything."""
        try:
            self._upkeep.do()
            if self._greeter is not None:
                self._greeter.do()
            self._repositories.do()
            self._orphans.do()
            removals = self._queue.claim_removals(self._id, target_repos=self._targets)
            self._carry_out(removals)
            group = self._publish_group()
            claims = self._queue.claim_landed(
                self._id, target_repos=self._targets, wait=0.0 if removals or group else wait
            )
        except TemporaryError as error:
            self._rest(error)
            return False
        self._publish(claims)
        return bool(removals or group or claims)

    def _publish_group(self) -> bool:
        """Publish a rebuild group that is complete; tell whether there was one."""
        claims = self._queue.claim_group(self._id, target_repos=self._targets)
        if claims:
            self._publisher.publish(claims, whole=True)
            self._pause = 0.0
        if claims or time.monotonic() >= self._next_sweep:
            self._next_sweep = time.monotonic() + _SWEPT_EVERY
            self._stager.sweep()
        return bool(claims)

    def _carry_out(self, removals: Sequence[RemovalClaim]) -> None:
        for claim in removals:
            try:
                self._remover.remove(claim)
            except TemporaryError as error:
                self._rest(error)

    def _publish(self, claims: Sequence[Claim]) -> None:
        for _, group in groupby(sorted(claims, key=_place_of), key=_place_of):
            try:
                batch = list(group)
                if batch[0].group:
                    self._stager.stage(batch)
                else:
                    self._publisher.publish(batch)
            except TemporaryError as error:
                self._rest(error)
            else:
                self._pause = 0.0

    def _rest(self, error: TemporaryError) -> None:
        """Wait a while, longer each time in a row, for what is wrong to be put right."""
        self._pause = min(_LONGEST_PAUSE, max(_SHORTEST_PAUSE, 2 * self._pause))
        hint = f". {error.hint}" if error.hint else ""
        _log.warning("%s%s (going on in %g s)", error.message, hint, self._pause)
        self._stop.wait(self._pause)


def _place_of(claim: Claim) -> tuple[str, str, str]:
    """Return where a job is published, and the group for which it is staged before that."""
    return claim.spec.target_repo, claim.spec.arch, claim.group
