"""Whether the server runs, whether it has what it needs, and what Prometheus reads."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import Response

from caur_ci.errors import CaurError
from scheduler.web.answers import json_answer, not_found
from scheduler.web.api.model import Health
from scheduler.web.parameters import services_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

_OK = "ok"
_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


async def healthy(request: Request) -> Response:
    """Answer that the server runs."""
    return json_answer(request, Health(status=_OK, parts={}))


def ready(request: Request) -> Response:
    """Answer whether Redis and the history can be read."""
    services = services_of(request)
    parts = {"redis": _state(services.queue.last_event_id)}
    if services.history is not None:
        parts["history"] = _state(services.history.totals)
    well = all(state == _OK for state in parts.values())
    return json_answer(
        request,
        Health(status=_OK if well else "unavailable", parts=parts),
        status=HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE,
    )


def metrics(request: Request) -> Response:
    """Answer with the metrics for Prometheus."""
    render = services_of(request).metrics
    if render is None:
        raise not_found("this server has no metrics")
    return Response(render(), media_type=None, headers={"Content-Type": _METRICS_TYPE})


def _state(ask: Callable[[], object]) -> str:
    try:
        ask()
    except CaurError:
        return "out of reach"
    return _OK
