"""HTML from templates, with what all pages have in common."""

from __future__ import annotations

import hashlib
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape
from starlette.responses import Response

from caur_ci import __version__
from scheduler.web.pages import words
from scheduler.web.pages.paths import build_path, log_path, package_path, with_query

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Environment
    from starlette.requests import Request

_HTML = "text/html; charset=utf-8"
# A link to elsewhere is one only if it begins so.
_WEB = ("https://", "http://")


def install(environment: Environment) -> None:
    """Teach the templates what pages need."""
    environment.filters |= {
        "ago": _ago,
        "duration": words.duration,
        "exact": words.exact,
        "iso": words.iso,
        "filesize": words.size,
        "outcome": words.outcome_words,
        "state": words.state_words,
        "tone": words.tone_of,
        "web_link": web_link,
        "with_code": _with_code,
    }
    environment.globals |= {
        "package_path": package_path,
        "build_path": build_path,
        "log_path": log_path,
        "with_query": with_query,
        "plural": words.plural,
        "version": __version__,
    }


def page(
    request: Request,
    template: str,
    context: Mapping[str, Any],
    *,
    status: int = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a page; that it is still the same, to those who have it already."""
    environment = request.app.state.templates.env
    now = context.get("now") or time.time()
    text = environment.get_template(template).render(
        {"now": now, "here": request.url.path, "facts_state": _facts_state(request), **context}
    )
    body = text.encode("utf-8", "replace")
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    answer_headers = {"ETag": tag, "Cache-Control": "no-cache", **(headers or {})}
    if status == HTTPStatus.OK and request.headers.get("if-none-match") == tag:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=answer_headers)
    return Response(body, status_code=status, media_type=_HTML, headers=answer_headers)


def web_link(url: str) -> str:
    """Return `url` if it leads to the web, else nothing."""
    return url if url.startswith(_WEB) else ""


def _ago(moment: float, now: float) -> Markup:
    """Return a time in relative words, with the exact one for who asks."""
    if not moment:
        return Markup("")
    return Markup('<time datetime="{}" title="{}" data-ago>{}</time>').format(
        words.iso(moment), words.exact(moment), escape(words.relative(moment, now))
    )


def _with_code(text: str) -> Markup:
    """Return a sentence of ours with what stands between backticks as code."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part)
        for place, part in enumerate(parts)
    )


def _facts_state(request: Request) -> Any:  # noqa: ANN401 - for templates
    facts = request.app.state.services.facts
    return facts.repositories() if facts is not None else ()
