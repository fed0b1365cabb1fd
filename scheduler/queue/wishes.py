"""Writes down who asked for what, among the queue's events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scheduler.connection import redis_errors
from scheduler.queue import keys

if TYPE_CHECKING:
    from redis import Redis

_EVENTS_KEPT = 100_000
_LONGEST_TEXT = 1000


def record_wish(
    redis: Redis, wish: str, who: str, *, identity: str, job_id: int, request_id: str, reason: str
) -> None:
    """Add an event of kind `asked`; its fields are those of all events."""
    said = f"{wish} by {who}" + (f": {reason}" if reason else "")
    fields: dict[Any, Any] = {
        "kind": "asked",
        "job": job_id,
        "identity": identity,
        "state": "",
        "outcome": "",
        "failure": "",
        "worker": "",
        "attempt": 0,
        "class": "",
        "reason": said[:_LONGEST_TEXT],
        "request": request_id,
        "submitted": 0,
        "started": 0,
    }
    with redis_errors():
        redis.xadd(keys.EVENTS, fields, maxlen=_EVENTS_KEPT, approximate=True)
