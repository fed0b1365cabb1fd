"""What is wrong when a forge does not do what it was asked for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from caur_ci.plaintext import one_line
from caur_ci.web import retry_after
from scheduler.outbox import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caur_ci.forge_clients import Refusal

_LONGEST_SAID = 200
# Nothing that a token or a pause would change.
_REFUSED = frozenset({400, 409, 422})


class ForgeError(DeliveryError):
    """A forge did not do it. `status` is that of HTTP, 0 where none came; `said` is its reason."""

    def __init__(self, message: str, *, status: int, said: str, wait: float, refused: bool) -> None:
        super().__init__(message, wait=wait, refused=refused)
        self.status = status
        self.said = said


def error_from(forge: str, refusal: Refusal, token: str) -> ForgeError:
    """Return what is wrong, without the token."""
    said = one_line(refusal.said.replace(token, "***"))[:_LONGEST_SAID]
    answer = f"{forge} answered with status {refusal.status}"
    if not refusal.status:
        answer = f"{forge} cannot be reached"
    is_about_commit = refusal.status == 404 and "commit" in said.lower()
    return ForgeError(
        f"{answer}{f' ({said})' if said else ''}",
        status=refusal.status,
        said=said,
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
