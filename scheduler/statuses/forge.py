"""What a forge is asked for, whatever stands behind it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from caur_ci.plaintext import one_line
from caur_ci.web import retry_after
from scheduler.outbox import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scheduler.statuses.model import State

TIMEOUT = 30  # seconds without a byte
_LONGEST_SAID = 200
# Nothing that a token or a pause would change.
_REFUSED = frozenset({400, 409, 422})


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitStatus:
    """A status as the forge is to show it. `link` may be empty."""

    commit: str
    pipeline: str
    name: str
    state: State
    description: str
    link: str


class StatusForge(Protocol):
    """A forge that shows statuses of commits."""

    name: str

    def set_status(self, status: CommitStatus, *, before: State | None) -> None:
        """Show a status; `before` is what is shown of the same job so far.

        Raises DeliveryError.
        """
        ...


class Refusal(Exception):  # noqa: N818 - it is turned into an error
    """An answer that is none of those hoped for; `status` 0 stands for none at all.

    `headers` have names in lower case.
    """

    def __init__(self, status: int, said: str, headers: Mapping[str, str]) -> None:
        super().__init__(status)
        self.status = status
        self.said = said
        self.headers = headers


def error_from(forge: str, refusal: Refusal, token: str) -> DeliveryError:
    """Return what is wrong, without the token."""
    said = one_line(refusal.said.replace(token, "***"))[:_LONGEST_SAID]
    answer = f"{forge} answered with status {refusal.status}"
    if not refusal.status:
        answer = f"{forge} cannot be reached"
    is_about_commit = refusal.status == 404 and "commit" in said.lower()
    return DeliveryError(
        f"{answer}{f' ({said})' if said else ''}",
        wait=_asked_wait(refusal.headers),
        refused=refusal.status in _REFUSED or is_about_commit,
    )


def _asked_wait(headers: Mapping[str, str]) -> float:
    """Return for how many seconds the forge wants to be left alone."""
    after = retry_after(headers)
    if after is not None:
        return after
    if headers.get("x-ratelimit-remaining", "0") != "0":
        return 0.0
    reset = headers.get("ratelimit-reset") or headers.get("x-ratelimit-reset") or ""
    return max(0.0, float(reset) - time.time()) if reset.isascii() and reset.isdigit() else 0.0
