"""The HTML pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from scheduler.web.answers import AnswerError


def page_routes() -> list[BaseRoute]:
    """Return the routes of all pages."""
    return []


def error_page(_request: Request, problem: AnswerError) -> Response:
    """Return what a browser shows of a problem."""
    return PlainTextResponse(f"{problem.message}\n{problem.hint}\n", status_code=problem.status)
