"""Logs: as text, in parts by offset or HTTP range, and live."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from scheduler.web.answers import TEXT_TYPE, AnswerError, not_found
from scheduler.web.api.operations import BYTES, FOLLOW, OFFSET, Operation, Parameter, Text
from scheduler.web.parameters import (
    attempt_of,
    job_of,
    number,
    query_number,
    services_of,
    streams_of,
    wants,
)
from scheduler.web.streaming.log_streams import as_bytes, as_events, as_text

if TYPE_CHECKING:
    from starlette.requests import Request

    from scheduler.history import PastLog

_RANGE = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})", re.ASCII)
_ALL = 10**15


async def log(request: Request) -> Response:
    """Answer with a log: what is there, a part of it, or all that will come."""
    entry = await _entry(request)
    offset = query_number(request, "offset", 0)
    limit = query_number(request, "limit", _ALL, least=1)
    if wants(request, "follow"):
        _check_offset(entry, offset)
        headers = _facts(entry)
        if request.method == "HEAD":
            return Response(media_type=TEXT_TYPE, headers=headers)
        return streams_of(request).text(
            as_text(streams_of(request).logs, entry, offset), headers=headers
        )
    part = _range(request, entry)
    if part is not None:
        return _part(request, entry, *part, status=HTTPStatus.PARTIAL_CONTENT)
    _check_offset(entry, offset)
    return _part(request, entry, offset, min(entry.size, offset + limit))


async def events(request: Request) -> Response:
    """Answer with a log as server-sent events, until it ends."""
    entry = await _entry(request)
    last = request.headers.get("last-event-id")
    offset = query_number(request, "offset", 0) if last is None else number(last, "Last-Event-ID")
    _check_offset(entry, offset)
    streams = streams_of(request)
    return streams.sse(as_events(streams.logs, entry, offset))


async def _entry(request: Request) -> PastLog:
    job_id, attempt = job_of(request), attempt_of(request)
    services = services_of(request)
    entry = await run_in_threadpool(services.logs.entry, job_id, attempt)
    if entry is None:
        raise not_found(
            f"there is no log of attempt {attempt} at job {job_id}",
            hint="It has not begun, or it ended so long ago that it was removed.",
        )
    return entry


def _part(
    request: Request, entry: PastLog, first: int, end: int, *, status: int = HTTPStatus.OK
) -> Response:
    headers = {**_facts(entry), "Content-Length": str(end - first), "X-Log-Next-Offset": str(end)}
    if status == HTTPStatus.PARTIAL_CONTENT:
        headers["Content-Range"] = f"bytes {first}-{end - 1}/{entry.size if entry.ended else '*'}"
    if request.method == "HEAD" or first == end:
        return Response(status_code=status, media_type=TEXT_TYPE, headers=headers)
    streams = streams_of(request)
    return streams.text(as_bytes(streams.logs, entry, first, end), status=status, headers=headers)


def _facts(entry: PastLog) -> dict[str, str]:
    return {
        "Accept-Ranges": "bytes",
        "X-Log-Size": str(entry.size),
        "X-Log-Ended": "true" if entry.ended else "false",
    }


def _check_offset(entry: PastLog, offset: int) -> None:
    if offset > entry.size:
        raise _beyond(entry, f"the log has {entry.size} bytes, so nothing is at {offset}")


def _beyond(entry: PastLog, message: str) -> AnswerError:
    return AnswerError(
        HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
        message,
        hint="Ask from an offset within it.",
        headers={"Content-Range": f"bytes */{entry.size}", **_facts(entry)},
    )


def _range(request: Request, entry: PastLog) -> tuple[int, int] | None:
    """Return first and end of the range that is asked for, None where it is to be left aside.

    Servers may ignore ranges, and do so with several at once, and units that they do not know.
    """
    found = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if not found or not any(found.groups()) or "if-range" in request.headers:
        return None
    first_text, last_text = found.groups()
    if not first_text:
        first, end = max(0, entry.size - int(last_text)), entry.size
    else:
        first, end = int(first_text), min(entry.size, int(last_text or _ALL) + 1)
        if last_text and int(last_text) < first:
            return None
    if first >= end:
        raise _beyond(entry, f"the log has {entry.size} bytes, so the range is beyond it")
    return first, end


_PATH = "/api/v1/logs/{job}/{attempt}"
_RANGE_HEADER = Parameter(
    "Range", "A range of bytes, as `bytes=0-99`.", {"type": "string"}, "header"
)
_LAST_EVENT = Parameter(
    "Last-Event-ID",
    "The id of the last event that arrived: the next byte; it goes before `offset`.",
    {"type": "integer", "minimum": 0, "maximum": 10**15},
    "header",
)

OPERATIONS = (
    Operation(
        path=_PATH,
        name="log",
        summary="A log: all that is there, or a part by `offset` and `limit` or by Range. With "
        "`follow` it goes on until the log ends, and when nothing comes for 25 seconds it has an "
        "escape sequence without a meaning (ESC \\), which is not part of the log.",
        handler=log,
        answer=Text(is_partial=True),
        parameters=(OFFSET, BYTES, FOLLOW, _RANGE_HEADER),
        problems=(404, 416),
    ),
    Operation(
        path=f"{_PATH}/events",
        name="log-events",
        summary="A log as server-sent events until it ends. Each has `{offset, text}`: whole "
        "characters from that byte on; its id is the byte to go on from. The last is `end`.",
        handler=events,
        answer=Text(media_type="text/event-stream"),
        parameters=(OFFSET, _LAST_EVENT),
        problems=(404, 416),
    ),
)
