"""Connections within limits: how many there are, and how long they may take to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio
    from typing import Any

# Of one process: a file descriptor each, of which there usually are 1,024.
CONNECTIONS_AT_MOST = 700
# All headers of a request together, in bytes.
HEADERS_AT_MOST = 32 * 1024
# How long a connection stays open after an answer, and how long a request's headers may take.
KEPT_SECONDS = 15
ASKING_SECONDS = 20.0
# How long somebody may read nothing of what is sent; a stream can be taken up again where it was.
READING_SECONDS = 60.0

_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Retry-After: 10\r\nConnection: close\r\nContent-Length: 21\r\n\r\ntoo many connections\n"
)


class LimitedConnection(H11Protocol):
    """A connection that ends where it is one too many, or nothing is asked or read in time."""

    _unread: asyncio.TimerHandle | None = None
    _waiting: asyncio.TimerHandle | None = None
    _refused = False
    _idle_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS_AT_MOST and not self._made_room():
            self._refused = True
            transport.write(_FULL)
            transport.close()
            return
        self._idle_since = self.loop.time()
        self._wait_for_request()

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        super().data_received(data)
        if self._is_asked():
            self._stop_waiting()
        else:
            self._wait_for_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._stop_waiting_for_reader()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(READING_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_waiting_for_reader()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        # What nobody reads would keep it open.
        self.loop.call_later(READING_SECONDS, self.transport.abort)

    def _made_room(self) -> bool:
        """End the connection on which nothing has been asked for longest; False if all are busy."""
        idle = [
            each
            for each in self.connections
            if isinstance(each, LimitedConnection) and each is not self and each.is_idle
        ]
        if not idle:
            return False
        min(idle, key=lambda each: each.idle_since).transport.abort()
        return True

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being asked or answered."""
        return not self._is_asked() and not self.transport.is_closing()

    @property
    def idle_since(self) -> float:
        """When it was opened or the last answer was complete, by the clock of the event loop."""
        return self._idle_since

    def on_response_complete(self) -> None:
        self._idle_since = self.loop.time()
        super().on_response_complete()

    def _is_asked(self) -> bool:
        # There is no cycle before the first request, whatever its type says.
        return bool(self.cycle) and not self.cycle.response_complete

    def _wait_for_request(self) -> None:
        """Begin to wait, unless that was begun before: bytes that trickle in gain no time."""
        if self._waiting is None:
            self._waiting = self.loop.call_later(ASKING_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _stop_waiting_for_reader(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _give_up(self) -> None:
        self._waiting = None
        if not self._is_asked() and not self.transport.is_closing():
            self.transport.close()


def limits() -> dict[str, Any]:
    """Return the limits as the server is told them."""
    return {
        "http": LimitedConnection,
        "h11_max_incomplete_event_size": HEADERS_AT_MOST,
        "timeout_keep_alive": KEPT_SECONDS,
    }
