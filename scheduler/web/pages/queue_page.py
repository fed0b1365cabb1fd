"""The first page: what is building, what is next and why not yet, who builds, what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.web.pages.rendering import page

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from scheduler.web.pages.board import Board

_SHOWN = 50


class QueuePage:
    """The page, and the part of it that is fetched again and again."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def whole(self, request: Request) -> Response:
        """Answer with the page."""
        return self._answer(request, "queue.html")

    def part(self, request: Request) -> Response:
        """Answer with what changes in it."""
        return self._answer(request, "parts/queue.html")

    def _answer(self, request: Request, template: str) -> Response:
        board = self._board.look(request.app.state.services)
        return page(
            request, template, {"board": board, "now": board.snapshot.time, "shown": _SHOWN}
        )
