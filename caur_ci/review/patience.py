"""Calls to a forge: tried again where that may help, with what went wrong said in plain words."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from caur_ci.forge_clients import Refusal
from caur_ci.plaintext import one_line
from caur_ci.review.forge import ForgeError
from caur_ci.web import retry_after

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

# Seconds that one call, and all calls of a run, may be kept waiting by a forge that has had enough.
_LONGEST_WAIT, _LONGEST_WAITS = 60.0, 180.0
_DEFAULT_WAITS = (1.0, 4.0)
_BUSY = frozenset({429, 503})
_BROKEN = frozenset({500, 502, 504})
_LONGEST_SAID = 300
_HINTS = {
    400: "The forge does not understand the request; what it says names the field.",
    401: "Set ACCESS_TOKEN to a token that is valid: it may have expired or been revoked.",
    403: "The token may not do this. It needs the scope `api` and the role Developer at GitLab, "
    "and `pull-requests: write` and `issues: write` at GitHub, where the settings of Actions also "
    "have to allow that workflows create pull requests.",
    404: "Either there is no such project, or the token may not see it.",
    409: "Somebody else was at it; the next run tries again.",
    422: "The forge refuses what it was sent; what it says names the cause.",
    429: "Too much was asked of the forge; the next run goes on with the rest.",
}
_HINT_OUT_OF_REACH = "Is the forge up, and can it be reached from here? The next run tries again."
# After these, nothing else will go better.
_FINAL = frozenset({401, 429})


class Patience:
    """Makes the calls of one run. `secret` is kept out of all that is said about them."""

    def __init__(
        self, forge: str, secret: str, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._forge = forge
        self._secret = secret
        self._sleep = sleep
        self._left = _LONGEST_WAITS

    def call(self, what: str, ask: Callable[[], T], *, repeatable: bool = True) -> T:
        """Return what `ask` returns; `what` says what it is for.

        It is asked again where the forge says when, and where it is broken for the moment if that
        is `repeatable`. Raises ForgeError in place of Refusal.
        """
        for default in (*_DEFAULT_WAITS, None):
            try:
                return ask()
            except Refusal as refusal:
                wait = self._wait(refusal, default, repeatable=repeatable)
                if wait is None:
                    # From nothing: the library's own error may show the token.
                    raise self._error(what, refusal) from None
            self._left -= wait
            self._sleep(wait)
        raise AssertionError  # the last turn returns or raises

    def _wait(self, refusal: Refusal, default: float | None, *, repeatable: bool) -> float | None:
        """Return how many seconds to wait before the next try, None where there is to be none."""
        if default is None:
            return None
        if _is_limit(refusal):
            wait = max(default, _asked_wait(refusal.headers))
        elif repeatable and (refusal.status in _BROKEN or not refusal.status):
            wait = default
        else:
            return None
        return wait if wait <= min(_LONGEST_WAIT, self._left) else None

    def _error(self, what: str, refusal: Refusal) -> ForgeError:
        status = 429 if _is_limit(refusal) and refusal.status != 503 else refusal.status
        said = one_line(refusal.said.replace(self._secret, "***"))[:_LONGEST_SAID]
        answer = f"{self._forge} answered with status {refusal.status}"
        if not status:
            answer = f"{self._forge} cannot be reached"
        hint = _HINTS.get(status, _HINT_OUT_OF_REACH)
        return ForgeError(
            f"{what}: {answer}{f' ({said})' if said else ''}",
            hint=hint,
            status=status,
            final=status in _FINAL or not status or status >= 500,
        )


def _is_limit(refusal: Refusal) -> bool:
    """Tell whether too much was asked; GitHub says that with 403 as well."""
    if refusal.status == 403:
        headers = refusal.headers
        return "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"
    return refusal.status in _BUSY


def _asked_wait(headers: Mapping[str, str]) -> float:
    """Return for how many seconds the forge wants to be left alone."""
    after = retry_after(headers)
    if after is not None:
        return after
    reset = headers.get("ratelimit-reset") or headers.get("x-ratelimit-reset") or ""
    return max(0.0, float(reset) - time.time()) if reset.isascii() and reset.isdigit() else 0.0
