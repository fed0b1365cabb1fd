"""Lists: as a page, as JSON, and as a feed, all made of the same rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from scheduler.web.answers import json_answer
from scheduler.web.pages.atom import ATOM_TYPE, Entry, feed
from scheduler.web.pages.paths import with_query
from scheduler.web.pages.rendering import page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from scheduler.web.pages.cells import Cell

PER_PAGE = 100
_JSON, _ATOM = ".json", ".atom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One entry of a list.

    `key` never changes for the same thing, `data` is what JSON says of it. `cells` are in the order
    of the columns. `time` is a Unix time.
    """

    key: str
    title: str
    path: str
    time: float
    summary: str
    cells: tuple[Cell, ...]
    data: object


@dataclass(frozen=True, slots=True)
class Filter:
    """A field that narrows a list down; `name` is its parameter."""

    name: str
    label: str
    value: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A list, or the part of it that was asked for.

    `more` has the parameters of the next part, nothing where this is the last. `empty` is said
    where there are no rows, `note` where they may not be all. `now` is the Unix time.
    """

    title: str
    lead: str
    columns: tuple[str, ...]
    rows: Sequence[Row]
    empty: str
    now: float
    total: int | None = None
    more: Mapping[str, str | int] = field(default_factory=dict)
    filters: tuple[Filter, ...] = ()
    note: str = ""

    @property
    def narrowed(self) -> dict[str, str]:
        """The parameters by which the list is narrowed down."""
        return {it.name: it.value for it in self.filters if it.value}

    @property
    def next_part(self) -> dict[str, str | int]:
        """The parameters of the next part, with those that narrow it down."""
        return {**self.narrowed, **self.more}


@dataclass(frozen=True, slots=True)
class ListPage:
    """The three forms of a list at `path`."""

    path: str
    make: Callable[[Request], Listing | Response]

    def routes(self) -> list[BaseRoute]:
        """Return where the forms are."""
        return [
            Route(self.path, self._by_header),
            Route(f"{self.path}{_JSON}", self._as_json),
            Route(f"{self.path}{_ATOM}", self._as_feed),
        ]

    def _by_header(self, request: Request) -> Response:
        accepted = request.headers.get("accept", "")
        if "text/html" not in accepted:
            if ATOM_TYPE in accepted:
                return self._as_feed(request)
            if "application/json" in accepted:
                return self._as_json(request)
        listing = self.make(request)
        if isinstance(listing, Response):
            return listing
        here = _path_of(request)
        context = {"list": listing, "now": listing.now, "place": here}
        return page(request, "list.html", context, headers={"Vary": "Accept"})

    def _as_json(self, request: Request) -> Response:
        listing = self.make(request)
        if isinstance(listing, Response):
            return listing
        next_part = with_query(f"{_path_of(request)}{_JSON}", **listing.next_part)
        data = {
            "title": listing.title,
            "items": [row.data for row in listing.rows],
            "total": listing.total,
            "next": next_part if listing.more else None,
        }
        return json_answer(request, data)

    def _as_feed(self, request: Request) -> Response:
        listing = self.make(request)
        if isinstance(listing, Response):
            return listing
        site = f"{request.url.scheme}://{request.url.netloc}"
        base = request.app.state.settings.base_path
        place = _path_of(request)
        body = feed(
            title=f"{listing.title} · caur-ci",
            key=with_query(place.removeprefix(base).strip("/"), **listing.narrowed),
            page=with_query(f"{site}{place}", **listing.narrowed),
            address=with_query(f"{site}{place}{_ATOM}", **listing.narrowed),
            entries=[
                Entry(row.key, row.title, f"{site}{base}{row.path}", row.time, row.summary)
                for row in listing.rows
            ],
        )
        return Response(body, media_type=f"{ATOM_TYPE}; charset=utf-8")


def cut(rows: Sequence[Row], wanted: int) -> tuple[Sequence[Row], dict[str, str | int]]:
    """Return page `wanted`, from 1, of rows that are all at hand, and what asks for the next."""
    start = (wanted - 1) * PER_PAGE
    more: dict[str, str | int] = {"page": wanted + 1} if len(rows) > start + PER_PAGE else {}
    return rows[start : start + PER_PAGE], more


def _path_of(request: Request) -> str:
    """Return where the list is, with the base path, without what names its form."""
    path = request.url.path
    for ending in (_JSON, _ATOM):
        path = path.removesuffix(ending)
    return path
