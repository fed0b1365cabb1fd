"""Pages about everything: the picture of all dependencies, and failures over time."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from scheduler.web.answers import json_answer
from scheduler.web.pages.charts import stacked_chart
from scheduler.web.pages.parameters import number, text
from scheduler.web.pages.picture import most_needed, whole
from scheduler.web.pages.rendering import page

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from scheduler.web.services import WebServices

_DAYS, _MOST_DAYS = 30, 366


def dependencies(request: Request) -> Response:
    """Answer with the picture of one repository, the first one by default."""
    services: WebServices = request.app.state.services
    maps = services.facts.dependencies() if services.facts is not None else ()
    wanted = text(request, "repo")
    chosen = next((it for it in maps if it.source_repo == wanted), maps[0] if maps else None)
    picture = whole(chosen.needs) if chosen is not None else None
    tied = sum(bool(others) for others in chosen.needs.values()) if chosen is not None else 0
    needed = most_needed(chosen.needs) if chosen is not None else []
    context = {
        "maps": maps,
        "chosen": chosen,
        "picture": picture,
        "tied": tied,
        "needed": needed,
    }
    return page(request, "dependencies.html", context)


def dependencies_data(request: Request) -> Response:
    """Answer with who needs whom in each repository."""
    services: WebServices = request.app.state.services
    return json_answer(request, services.facts.dependencies() if services.facts is not None else [])


def failures(request: Request) -> Response:
    """Answer with how many builds failed on each day, by the class of failure."""
    services: WebServices = request.app.state.services
    days = number(request, "days", _DAYS, smallest=7, largest=_MOST_DAYS)
    names = _last_days(days)
    counts = _counts(services, days)
    stacked = stacked_chart("Failed builds by day", names, counts)
    context = {"days": days, "stacked": stacked, "has_history": services.history is not None}
    return page(request, "failures.html", context)


def failures_data(request: Request) -> Response:
    """Answer with the same numbers, by day and class."""
    days = number(request, "days", _DAYS, smallest=7, largest=_MOST_DAYS)
    return json_answer(request, _counts(request.app.state.services, days))


def _counts(services: WebServices, days: int) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    if services.history is not None:
        for day, kind, count in services.history.failures_by_day(days):
            found.setdefault(day, {})[kind] = count
    return found


def _last_days(days: int) -> list[str]:
    today = datetime.fromtimestamp(time.time(), UTC).date()
    return [str(today - timedelta(days=back)) for back in range(days - 1, -1, -1)]
