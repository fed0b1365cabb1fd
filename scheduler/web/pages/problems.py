"""What a browser shows of a problem."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from scheduler.web.pages.rendering import page

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from scheduler.web.answers import AnswerError


def error_page(request: Request, problem: AnswerError) -> Response:
    """Return a page that says what is wrong and what to do."""
    try:
        title = HTTPStatus(problem.status).phrase
    except ValueError:
        title = f"Error {problem.status}"
    context = {"title": title, "problem": problem}
    return page(request, "problem.html", context, status=problem.status)
