"""Writes down what was asked and how it was answered."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = logging.getLogger(__name__)

_LONGEST_PATH = 200


class AccessLog:
    """Logs a line for each request when it has been answered; queries are left out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

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
            client = scope["client"][0] if scope.get("client") else "-"
            milliseconds = 1000 * (time.monotonic() - started)
            path = scope["path"][:_LONGEST_PATH]
            _log.info("%s %s %r %d in %.0f ms", client, scope["method"], path, status, milliseconds)
