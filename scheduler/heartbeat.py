"""Holds claims while somebody works on them."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Self, TypeVar

from caur_ci.errors import TemporaryError
from scheduler.queue import DEFAULT_LEASE, Claim, RemovalClaim, StaleClaimError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from types import TracebackType

    from scheduler.queue import Queue, Renewal

_log = logging.getLogger(__name__)

DEFAULT_INTERVAL = 5.0
_RETRY_AFTER = 1.0

T = TypeVar("T")
AnyClaim = Claim | RemovalClaim


class Heartbeat:
    """Renews the leases of `claims` in a thread, from `with` to its end.

    A claim is lost when the queue says so, or when the queue could not be asked for `patience`
    seconds, the length of a lease: somebody else may have it then.
    """

    def __init__(
        self,
        queue: Queue,
        claims: Iterable[AnyClaim],
        *,
        interval: float = DEFAULT_INTERVAL,
        patience: float = DEFAULT_LEASE,
    ) -> None:
        self._queue = queue
        self._claims = {claim.token: claim for claim in claims}
        self._interval = interval
        self._patience = patience
        self._lost: set[int] = set()
        self._canceled: set[int] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def has_lost(self, claim: AnyClaim) -> bool:
        """Tell whether the work on `claim` has become pointless."""
        return claim.token in self._lost

    def is_canceled(self, claim: AnyClaim) -> bool:
        """Tell whether somebody asked to end the job."""
        return claim.token in self._canceled

    def retry_while_held(self, claim: AnyClaim, action: Callable[[], T]) -> T:
        """Return `action()`, repeated for as long as Redis is out of reach and the claim is held.

        Raises StaleClaimError.
        """
        return self.retry_while_any_held([claim], action)

    def retry_while_any_held(self, claims: Collection[AnyClaim], action: Callable[[], T]) -> T:
        """Do the same for an action about several claims, until all of them are lost.

        Raises StaleClaimError.
        """
        while True:
            try:
                return action()
            except TemporaryError as error:
                if all(map(self.has_lost, claims)):
                    raise StaleClaimError(f"the claim was lost meanwhile: {error}") from error
                _log.warning("%s; trying again", error)
                self._ended.wait(_RETRY_AFTER)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        until = time.monotonic() + self._patience
        held_until = dict.fromkeys(self._claims, until)
        while not self._ended.wait(self._interval):
            if held := sorted(held_until.keys() - self._lost):
                self._renew(held, held_until)

    def _renew(self, held: Sequence[int], held_until: dict[int, float]) -> None:
        asked = time.monotonic()
        try:
            renewals = self._queue.renew_all([self._claims[token] for token in held])
        except TemporaryError as error:
            _log.warning("leases were not renewed: %s", error)
            self._lost.update(token for token in held if asked >= held_until[token])
        except Exception:  # noqa: BLE001 - whatever it is, the claims may run out
            _log.exception("leases could not be renewed")
            self._lost.update(held)
        else:
            for token, renewal in zip(held, renewals, strict=True):
                self._note(token, renewal, held_until, until=asked + self._patience)

    def _note(
        self, token: int, renewal: Renewal | None, held_until: dict[int, float], *, until: float
    ) -> None:
        if renewal is None:
            self._lost.add(token)
            return
        held_until[token] = until
        if renewal.cancel:
            self._canceled.add(token)
