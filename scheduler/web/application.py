"""The application: routes, what happens around them, and how errors are answered.

Handlers find what they need through `scheduler.web.parameters`, and templates in
`request.app.state.templates`.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from caur_ci.errors import CaurError
from scheduler.web import health
from scheduler.web.answers import json_answer, problem_data, problem_of
from scheduler.web.api import document, legacy
from scheduler.web.headers import SECURITY_HEADERS, BasePath, SecurityHeaders
from scheduler.web.observing import Observing
from scheduler.web.pages import error_page, page_routes
from scheduler.web.pages.explained import Explained
from scheduler.web.permission import Doorkeeper
from scheduler.web.snapshots import Snapshots
from scheduler.web.streaming.streams import Streams
from scheduler.web.templating import templates_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from scheduler.settings import WebSettings
    from scheduler.web.answers import AnswerError
    from scheduler.web.services import WebServices

_STATIC = Path(__file__).parent / "static"
_TOLD_TO_SCRIPTS = (
    *("ETag", "Accept-Ranges", "Content-Range", "Retry-After"),
    *("X-Log-Size", "X-Log-Ended", "X-Log-Next-Offset"),
)

_log = logging.getLogger(__name__)


def create_app(services: WebServices, settings: WebSettings) -> Starlette:
    """Return the application that shows `services`."""
    app = Starlette(
        routes=_routes(),
        middleware=list(_middleware(services, settings)),
        exception_handlers={
            CaurError: _answer_problem,
            HTTPException: _answer_problem,
            Exception: _answer_problem,
        },
    )
    app.router.redirect_slashes = False
    app.state.services = services
    app.state.settings = settings
    app.state.templates = templates_of(settings)
    app.state.snapshots = Snapshots(services.queue)
    app.state.explained = Explained()
    app.state.streams = Streams(services)
    app.state.doorkeeper = Doorkeeper(settings.token)
    return app


def patterns() -> list[str]:
    """Return the patterns of all paths, which requests are counted by."""
    return [str(getattr(route, "path", "")) for route in _routes()]


def _middleware(services: WebServices, settings: WebSettings) -> Iterator[Middleware]:
    yield Middleware(BasePath, base_path=settings.base_path)
    yield Middleware(Observing, counter=services.http, logs=settings.log_requests)
    yield Middleware(SecurityHeaders)
    if settings.cors:
        yield Middleware(
            CORSMiddleware,
            allow_origins=settings.cors,
            allow_methods=("GET", "HEAD"),
            allow_headers=("Range", "Last-Event-ID"),
            expose_headers=_TOLD_TO_SCRIPTS,
        )


def _routes() -> list[BaseRoute]:
    return [
        Route("/healthz", health.healthy),
        Route("/readyz", health.ready),
        Route("/metrics", health.metrics),
        Route("/openapi.json", document.openapi),
        *(operation.route() for operation in document.OPERATIONS),
        legacy.log_route(),
        *legacy.page_routes(),
        *page_routes(),
        Mount("/static", StaticFiles(directory=_STATIC), name="static"),
    ]


async def _answer_problem(request: Request, error: Exception) -> Response:
    problem = problem_of(error)
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("%s %s: %s", request.method, request.url.path, error)
    answer = _page_or_data(request, problem)
    # What no handler was ready for is answered outside of the middleware.
    answer.headers.update({**SECURITY_HEADERS, **problem.headers})
    return answer


def _page_or_data(request: Request, problem: AnswerError) -> Response:
    wants_page = "text/html" in request.headers.get("accept", "")
    if wants_page and "/api/" not in request.url.path:
        return error_page(request, problem)
    return json_answer(request, problem_data(problem), status=problem.status)
