"""One upload at a time for a repository at a publishing target that has no locks.

A lease is a piece of text at the target that says who holds it and until when; `upload-lease-N` is
its name. Whoever wants to upload makes the next one, which nobody else can make as well, and then
looks whether another one is in force: of two that have made theirs, the later one sees the other's.
What is in force is heard of every few minutes, so that a holder that was killed is got over.

A target cannot tell who writes: a holder that was away for longer than its lease (a laptop that
slept) stops before the next file, but what it is just sending gets there.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, Self
from urllib.parse import quote, unquote

from caur_ci.errors import CaurError
from scheduler.hosting.protocol import BusyTargetError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from scheduler.hosting.protocol import Check, Uploader

_log = logging.getLogger(__name__)

PREFIX = "upload-lease-"
# For how many seconds a holder has the target without being heard of again.
LEASE = 600.0
_RENEWED_EVERY = LEASE / 3
# By how much two clocks may differ, and how long a request may be on its way.
_MARGIN = 60.0
_LONGEST_WHO = 200


class LeaseStore(Protocol):
    """The leases of one repository at a target: pieces of text, by number.

    A text consists of what addresses and file names may have. All raise what the target raises.
    """

    def read(self) -> Mapping[int, str]:
        """Return what is there; what was written before is among it."""
        ...

    def create(self, number: int, text: str) -> bool:
        """Write a new one; False where there is one of that number, which stays as it is."""
        ...

    def replace(self, number: int, text: str, obsolete: Collection[int]) -> None:
        """Write our own anew, and remove others."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """What a lease says: `holder` has it until the Unix time `until`; `who` tells people."""

    holder: str
    who: str
    until: float

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Take what is stored; None where it makes no sense."""
        until, _, rest = text.partition("~")
        holder, _, who = rest.partition("~")
        if not until.isdecimal() or not holder:
            return None
        return cls(holder=holder, who=unquote(who), until=float(until))

    def to_text(self) -> str:
        """Return what is to be stored."""
        return f"{int(self.until)}~{self.holder}~{quote(self.who[:_LONGEST_WHO], safe='')}"


def name_of(number: int) -> str:
    """Return the name of the file of a lease."""
    return f"{PREFIX}{number}"


def number_of(name: str) -> int | None:
    """Return the number of a lease by its name; None for a file that is none."""
    number = name.removeprefix(PREFIX)
    return int(number) if name.startswith(PREFIX) and number.isdecimal() else None


@contextmanager
def leased(store: LeaseStore, uploader: Uploader, address: str) -> Iterator[Check]:
    """Keep other uploads away until the block ends; provide what raises when that is lost.

    What a dead process of the same uploader left is taken over. Raises BusyTargetError where
    somebody else has it.
    """
    lease = Lease.take(store, uploader, address)
    ending = threading.Event()

    def renew() -> None:
        while not ending.wait(_RENEWED_EVERY):
            try:
                lease.renew()
            except CaurError as error:
                # A target that is away for a moment takes nothing from us.
                _log.warning("the lease at %s cannot be renewed: %s", address, error)

    thread = threading.Thread(target=renew, name="lease of a target", daemon=True)
    thread.start()
    try:
        yield lease.check
    finally:
        ending.set()
        thread.join()
        lease.end()


class Lease:
    """A lease that is ours."""

    def __init__(
        self, store: LeaseStore, number: int, claim: _Claim, obsolete: Collection[int], address: str
    ) -> None:
        self._store = store
        self._number = number
        self._claim = claim
        self._obsolete = obsolete
        self._address = address
        self._lost = False

    @classmethod
    def take(cls, store: LeaseStore, uploader: Uploader, address: str) -> Self:
        """Take it. Raises BusyTargetError."""
        before = _claims(store)
        _refuse_others(before, uploader, address)
        claim = _Claim(holder=uploader.id, who=uploader.who, until=_now() + LEASE)
        # Numbers are never used again while anybody may still think that they are free: the
        # highest one stays, also when it has ended.
        number = max(before, default=0) + 1
        if not store.create(number, claim.to_text()):
            _refuse_others(_claims(store), uploader, address)
            raise BusyTargetError(
                f"another upload to {address} has just begun", hint="Upload once more."
            )
        lease = cls(store, number, claim, before.keys(), address)
        try:
            after = _claims(store)
            after.pop(number, None)
            _refuse_others(after, uploader, address)
        except CaurError:
            lease.end()
            raise
        return lease

    def check(self) -> None:
        """Raise BusyTargetError where somebody else may have it by now."""
        if self._lost or _now() > self._claim.until:
            raise BusyTargetError(
                f"nothing was heard of this upload to {self._address} for long, so another one may "
                "have begun",
                hint="Upload once more: only what is missing is brought.",
            )

    def renew(self) -> None:
        """Be heard of. Raises what the target raises."""
        before = self._claim
        if self._lost or _now() > before.until:
            self._lost = True
            return
        if self._store.read().get(self._number) != before.to_text():
            self._lost = True
            return
        renewed = replace(before, until=_now() + LEASE)
        self._store.replace(self._number, renewed.to_text(), self._obsolete)
        self._obsolete = ()
        if _now() > before.until:
            # On its way for so long that somebody may have seen that it was over.
            self._lost = True
        self._claim = renewed

    def end(self) -> None:
        """Let others upload."""
        if self._lost or _now() > self._claim.until:
            return
        self._lost = True
        try:
            ended = replace(self._claim, until=0).to_text()
            self._store.replace(self._number, ended, self._obsolete)
        except CaurError as error:
            _log.warning("the lease at %s ends by itself only: %s", self._address, error)


def _claims(store: LeaseStore) -> dict[int, _Claim | None]:
    return {number: _Claim.read(text) for number, text in store.read().items()}


def _refuse_others(claims: Mapping[int, _Claim | None], uploader: Uploader, address: str) -> None:
    for number, claim in sorted(claims.items()):
        if claim is None or claim.holder == uploader.id or claim.until + _MARGIN <= _now():
            continue
        until = datetime.fromtimestamp(claim.until + _MARGIN, tz=UTC).strftime("%H:%M:%S")
        raise BusyTargetError(
            f"another upload to {address} is under way: {claim.who or 'by somebody'}",
            hint=f"Upload once more when it is done. If it was killed, others may begin at {until} "
            f"UTC, or when {name_of(number)} is removed there.",
        )


def _now() -> float:
    return time.time()
