"""Writes down and counts what was asked, and how it was answered."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from scheduler.web.services import RequestCounter

_log = logging.getLogger(__name__)

_LONGEST_PATH = 200


class Observing:
    """Logs a line for each request when it has been answered, without its query, and counts it."""

    def __init__(self, app: ASGIApp, *, counter: RequestCounter | None, logs: bool) -> None:
        self._app = app
        self._counter = counter
        self._logs = logs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 0
        started = time.monotonic()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            self._note(scope, status, time.monotonic() - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"]
        if self._counter is not None:
            route = getattr(scope.get("route"), "path", "")
            self._counter.answered(method, route, status, seconds)
        if self._logs:
            client = scope["client"][0] if scope.get("client") else "-"
            path = scope["path"][:_LONGEST_PATH]
            _log.info("%s %s %r %d in %.0f ms", client, method, path, status, 1000 * seconds)
