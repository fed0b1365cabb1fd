"""What happens in the queue, as server-sent events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.job import Outcome
from scheduler.web.api.operations import AFTER, Operation, Parameter, Text
from scheduler.web.parameters import streams_of
from scheduler.web.shapes import as_data
from scheduler.web.streaming.event_feed import as_sse, check_event_id, place_of

if TYPE_CHECKING:
    from typing import Any

    from starlette.requests import Request
    from starlette.responses import Response

    from scheduler.queue import Event

_BAD = {Outcome.FAILED, Outcome.TIMED_OUT, Outcome.SOFTWARE_FAILURE}
_ODD = frozenset({"held", "returned", "expired", "quarantined", "cycle"})
# Events of the same millisecond are told apart by a number that stays below this.
_IN_A_MILLISECOND = 4096


async def events(request: Request) -> Response:
    """Answer with the queue's events as they come."""
    streams = streams_of(request)
    return streams.sse(as_sse(streams.events, await _after(request), as_data))


async def manager_log(request: Request) -> Response:
    """Answer with the queue's events in the form of the existing manager's own log."""
    streams = streams_of(request)
    return streams.sse(as_sse(streams.events, await _after(request), log_line))


def log_line(event: Event) -> dict[str, Any]:
    """Return an event as a line of a log; `ts` is in milliseconds."""
    time, number = place_of(event.id)
    return {
        "level": _level(event),
        "mod": "queue",
        "msg": " ".join(filter(None, _words(event))),
        "seq": time * _IN_A_MILLISECOND + min(number, _IN_A_MILLISECOND - 1),
        "ts": time,
    }


def _level(event: Event) -> str:
    if event.outcome in _BAD:
        return "error"
    return "warn" if event.kind in _ODD else "info"


def _words(event: Event) -> tuple[str, ...]:
    return (
        event.kind,
        event.identity,
        f"(job {event.job_id})" if event.job_id else "",
        event.outcome.name if event.outcome is not None else "",
        f"on {event.worker}" if event.worker else "",
        f"- {event.reason}" if event.reason else "",
    )


async def _after(request: Request) -> str:
    told = request.headers.get("last-event-id") or request.query_params.get("after")
    return check_event_id(told) if told else await streams_of(request).events.newest()


_LAST_EVENT = Parameter(
    "Last-Event-ID",
    "The id of the last event that arrived; it goes before `after`.",
    AFTER.schema,
    "header",
)

OPERATIONS = (
    Operation(
        path="/api/v1/events",
        name="events",
        summary="What happens in the queue, as server-sent events of JSON.",
        handler=events,
        answer=Text(media_type="text/event-stream"),
        parameters=(AFTER, _LAST_EVENT),
    ),
    Operation(
        path="/api/manager/logs",
        name="manager-logs",
        summary="The same as lines of a log: `{level, mod, msg, seq, ts}`.",
        handler=manager_log,
        answer=Text(media_type="text/event-stream"),
        parameters=(AFTER, _LAST_EVENT),
    ),
)
