"""All streams of a server: how many there may be, and how they end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sse_starlette import EventSourceResponse
from starlette.responses import StreamingResponse

from scheduler.web.answers import TEXT_TYPE, AnswerError
from scheduler.web.streaming.event_feed import EventFeed
from scheduler.web.streaming.live_logs import LiveLogs
from scheduler.web.streaming.threads import Threads

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from starlette.responses import Response

    from scheduler.web.services import WebServices

# The connections beyond are for requests that are answered at once.
STREAMS_AT_MOST = 500
_READING_THREADS, _LISTENING_THREADS = 8, 4
_PING_EVERY = 15
# After how many milliseconds browsers ask again.
_RETRY = b"retry: 2000\n\n"
_NOT_BUFFERED = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


class Streams:
    """The streams of one server."""

    def __init__(self, services: WebServices) -> None:
        self._counter = services.http
        self.logs = LiveLogs(services, Threads(_READING_THREADS))
        self.events = EventFeed(services.queue, Threads(_LISTENING_THREADS))
        self._open = 0

    def close(self) -> None:
        """Let all of them end; what comes later ends at once."""
        self.logs.close()
        self.events.close()

    def text(
        self,
        parts: AsyncIterator[bytes],
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Return an answer of plain text. Raises AnswerError where there are too many streams."""
        self._check_room()
        return StreamingResponse(
            self._counted(parts, "text"),
            status_code=status,
            media_type=TEXT_TYPE,
            headers={**_NOT_BUFFERED, **(headers or {})},
        )

    def sse(self, parts: AsyncIterator[bytes]) -> Response:
        """Return an answer of server-sent events. Raises AnswerError as `text` does."""
        self._check_room()
        return EventSourceResponse(
            self._counted(_with_retry(parts), "events"),
            ping=_PING_EVERY,
            sep="\n",
            headers=dict(_NOT_BUFFERED),
        )

    def _check_room(self) -> None:
        if self._open >= STREAMS_AT_MOST:
            raise AnswerError(
                503,
                "too many streams are open",
                hint="Try again in a while.",
                headers={"Retry-After": "30"},
            )

    async def _counted(self, parts: AsyncIterator[bytes], kind: str) -> AsyncIterator[bytes]:
        self._open += 1
        try:
            if self._counter is None:
                async for part in parts:
                    yield part
                return
            with self._counter.streaming(kind) as stream:
                async for part in parts:
                    stream.sent(len(part))
                    yield part
        finally:
            self._open -= 1


async def _with_retry(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield _RETRY
    async for part in parts:
        yield part
