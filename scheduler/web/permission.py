"""Who may change something: whoever knows the token, and not too often."""

from __future__ import annotations

import hmac
import ipaddress
import time
from collections import OrderedDict
from http import HTTPStatus
from typing import TYPE_CHECKING

from scheduler.web.answers import AnswerError

if TYPE_CHECKING:
    from starlette.requests import Request

_FAILURES, _CHANGES = 10, 120
_WITHIN = 60.0
_ADDRESSES_KEPT = 4096
_UNKNOWN = "an unknown address"


class RateLimit:
    """Lets `number` things happen in `seconds` for each address; those seen last are remembered."""

    def __init__(self, number: int, seconds: float, *, kept: int = _ADDRESSES_KEPT) -> None:
        self._number = number
        self._seconds = seconds
        self._kept = kept
        # By address: how much is left, and when that was so.
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Return after how many seconds the next thing may happen, 0 for at once."""
        left = self._now_left(address)
        return 0.0 if left >= 1 else (1 - left) * self._seconds / self._number

    def count(self, address: str) -> None:
        """Count one."""
        self._left[address] = (max(0.0, self._now_left(address) - 1), time.monotonic())
        self._left.move_to_end(address)
        while len(self._left) > self._kept:
            self._left.popitem(last=False)

    def _now_left(self, address: str) -> float:
        left, since = self._left.get(address, (float(self._number), 0.0))
        gained = (time.monotonic() - since) * self._number / self._seconds
        return min(float(self._number), left + gained)


class Doorkeeper:
    """Lets requests change something that come with the token. For one event loop."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        self._failures = RateLimit(_FAILURES, _WITHIN)
        self._changes = RateLimit(_CHANGES, _WITHIN)

    def check(self, request: Request) -> str:
        """Return who asks, for people to read. Raises AnswerError where they may not."""
        if not self._token:
            raise AnswerError(
                HTTPStatus.FORBIDDEN,
                "nothing can be changed through this server",
                hint="Whoever runs it can set API_TOKEN.",
            )
        address = _network_of(request)
        _check_rate(self._failures, address)
        if not hmac.compare_digest(_given_token(request), self._token):
            self._failures.count(address)
            raise AnswerError(
                HTTPStatus.UNAUTHORIZED,
                "the token is missing or wrong",
                hint="Send it as `Authorization: Bearer TOKEN`.",
                headers={"WWW-Authenticate": "Bearer"},
            )
        _check_rate(self._changes, address)
        self._changes.count(address)
        return f"the holder of API_TOKEN at {address_of(request)}"


def address_of(request: Request) -> str:
    """Return the address that a request comes from."""
    return request.client.host if request.client else _UNKNOWN


def _check_rate(limit: RateLimit, address: str) -> None:
    wait = limit.wait(address)
    if wait:
        raise AnswerError(
            HTTPStatus.TOO_MANY_REQUESTS,
            "too many requests",
            hint=f"Try again in {wait:.0f} seconds.",
            headers={"Retry-After": str(int(wait) + 1)},
        )


def _given_token(request: Request) -> bytes:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip().encode() if kind.lower() == "bearer" else b""


def _network_of(request: Request) -> str:
    """Return what is counted as one: with IPv6 everybody has as many addresses as they like."""
    address = address_of(request)
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return _UNKNOWN
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address
