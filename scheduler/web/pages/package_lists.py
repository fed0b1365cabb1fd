"""Lists of packages: all of them, mine, on hold, stale, broken; and of jobs that wait."""

from __future__ import annotations

import time
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse

from caur_ci.names import is_package_name
from scheduler.web.pages import words
from scheduler.web.pages.cells import Badge, Link, Moment, Several, Text
from scheduler.web.pages.listing import PER_PAGE, Filter, Listing, Row, cut
from scheduler.web.pages.package_page import identities_of
from scheduler.web.pages.parameters import number, text
from scheduler.web.pages.paths import package_path, with_query
from scheduler.web.pages.reach import unless_out_of_reach

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from caur_ci.facts import BrokenPackage, HeldPackage, PackageSummary, StalePackage
    from scheduler.queue import JobView
    from scheduler.web.pages.board import Board, BoardView
    from scheduler.web.services import WebServices

_NO_FACTS = "This server knows no repository of PKGBUILDs."
_MOST_PAGES = 1000


class PackageLists:
    """The lists that need to know what the repositories of PKGBUILDs say, or the queue."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def packages(self, request: Request) -> Listing | Response:
        """Return packages by name and maintainer; lead to the one that is named exactly."""
        services: WebServices = request.app.state.services
        name, maintainer = text(request, "q"), text(request, "maintainer")
        known = services.facts.packages() if services.facts is not None else ()
        if _is_search(request) and not maintainer and (found := _exactly(services, known, name)):
            base = request.app.state.settings.base_path
            return RedirectResponse(f"{base}{package_path(found)}", status_code=302)
        chosen = [it for it in known if _fits(it, name, maintainer)]
        page_of = number(request, "page", 1, smallest=1, largest=_MOST_PAGES)
        part = chosen[(page_of - 1) * PER_PAGE : page_of * PER_PAGE]
        board = unless_out_of_reach(lambda: self._board.look(services), None)
        return Listing(
            title="Packages",
            lead="Those of a maintainer or whose names fit; the address of this page keeps what "
            "was asked for.",
            columns=("Package", "Version", "State", "Source", "Class", "Maintained by"),
            rows=_package_rows(part, services, board),
            empty="No package fits." if services.facts is not None else _NO_FACTS,
            now=time.time(),
            total=len(chosen),
            more={"page": page_of + 1} if len(chosen) > page_of * PER_PAGE else {},
            filters=(
                Filter("q", "Name", name, "part of it, or python-*"),
                Filter("maintainer", "Maintainer", maintainer, "an account of the AUR"),
            ),
        )

    def waiting(self, request: Request) -> Listing:
        """Return the jobs that are to be built, in the order in which they will be."""
        board = self._board.look(request.app.state.services)
        rows = [_waiting_row(job, board) for job in board.next]
        shown, more = cut(rows, number(request, "page", 1, smallest=1, largest=_MOST_PAGES))
        cut_off = board.total_next - len(rows)
        return Listing(
            title="Waiting",
            lead="What is to be built, in the order in which it is likely to begin.",
            columns=("Package", "State", "Class", "Queued", "Expected start", "Why it waits"),
            rows=shown,
            empty="Nothing waits.",
            now=board.snapshot.time,
            total=board.total_next,
            more=more,
            note=f"{words.plural(cut_off, 'job')} more are not listed." if cut_off > 0 else "",
        )


def held(request: Request) -> Listing:
    """Return the packages that are on hold."""
    facts = request.app.state.services.facts
    return _listing(
        request,
        [_held_row(it) for it in facts.held()] if facts is not None else None,
        title="Held",
        lead="Packages that stay as they are until somebody lets them go: caur-ci unhold PACKAGE.",
        columns=("Package", "Since", "By", "Why", "Left out meanwhile"),
        empty="No package is on hold.",
    )


def stale(request: Request) -> Listing:
    """Return the packages that fall behind."""
    facts = request.app.state.services.facts
    return _listing(
        request,
        [_stale_row(it) for it in facts.stale()] if facts is not None else None,
        title="Stale",
        lead="Packages whose updates fail run after run, or that stay behind upstream.",
        columns=("Package", "Failed runs", "Since", "Why"),
        empty="No package is stale.",
    )


def broken(request: Request) -> Listing:
    """Return the published packages that have lost a library or an interpreter."""
    facts = request.app.state.services.facts
    unknown = [it for it in facts.repositories() if it.lost] if facts is not None else []
    return _listing(
        request,
        [_broken_row(it) for it in facts.broken()] if facts is not None else None,
        title="Broken",
        lead="Published packages that have lost a library or an interpreter.",
        columns=("Package", "Published version", "Lost", "Since", "Rebuild"),
        empty="No published package has lost anything.",
        note="; ".join(f"Of {it.name} it may not be known: {it.lost}" for it in unknown),
    )


def _listing(
    request: Request,
    rows: Sequence[Row] | None,
    *,
    title: str,
    lead: str,
    columns: tuple[str, ...],
    empty: str,
    note: str = "",
) -> Listing:
    """Return a list of what facts tell; no rows at all stand for nobody who tells."""
    known = rows or ()
    shown, more = cut(known, number(request, "page", 1, smallest=1, largest=_MOST_PAGES))
    return Listing(
        title=title,
        lead=lead,
        columns=columns,
        rows=shown,
        empty=empty if rows is not None else _NO_FACTS,
        now=time.time(),
        total=len(known),
        more=more,
        note=note,
    )


def _is_search(request: Request) -> bool:
    """Tell whether somebody looks for a package, rather than a program for the list."""
    is_page = request.url.path.endswith("/packages")
    return is_page and "text/html" in request.headers.get("accept", "")


def _exactly(services: WebServices, known: Iterable[PackageSummary], name: str) -> str:
    """Return what names the package that is meant for sure, nothing where none is."""
    if any(it.pkgbase == name for it in known):
        return name
    return name if is_package_name(name) and identities_of(services, name) else ""


def _fits(package: PackageSummary, name: str, maintainer: str) -> bool:
    wanted = name.lower()
    is_pattern = any(char in wanted for char in "*?[")
    fits_name = fnmatchcase(package.pkgbase, wanted) if is_pattern else wanted in package.pkgbase
    people = {it.lower() for it in package.maintainers}
    return fits_name and (not maintainer or maintainer.lower() in people)


def _package_rows(
    packages: Iterable[PackageSummary], services: WebServices, board: BoardView | None
) -> list[Row]:
    states: dict[str, Badge] = {}
    for job in board.next if board is not None else ():
        states.setdefault(job.identity, Badge(words.state_words(job.state), "calm"))
    for job in board.snapshot.active if board is not None else ():
        states[job.identity] = Badge(words.state_words(job.state), "busy")
    return [_package_row(it, services, states) for it in packages]


def _package_row(package: PackageSummary, services: WebServices, states: dict[str, Badge]) -> Row:
    identity = package.identity
    history = services.history
    last = next(iter(history.of_package(identity, limit=1)), None) if history is not None else None
    state = states.get(identity)
    if state is None and last is not None:
        ended = words.outcome_words(last.outcome, last.failure)
        state = Badge(ended, words.tone_of(last.outcome))
    return Row(
        key=f"package/{package.source_repo}/{package.pkgbase}",
        title=f"{package.pkgbase} {package.version}",
        path=package_path(identity),
        time=last.finished if last is not None else 0.0,
        summary=state.text if state is not None else "",
        cells=(
            Link(package.pkgbase, package_path(identity)),
            Text(package.version),
            state or Text(""),
            Text(package.source),
            Text(package.build_class),
            _people(package.maintainers),
        ),
        data={"package": package, "state": state.text if state is not None else None},
    )


def _people(people: Sequence[str]) -> Several:
    links = (Link(it, with_query("/packages", maintainer=it)) for it in people[:5])
    return Several(tuple(links))


def _waiting_row(job: JobView, board: BoardView) -> Row:
    place, _, name = job.identity.rpartition("/")
    start = board.starts.get(job.job_id)
    why = job.reason or "ready, waits for a free worker"
    return Row(
        key=f"job/{job.job_id}",
        title=f"{job.identity}: {why}",
        path=package_path(job.identity),
        time=job.submitted,
        summary=why,
        cells=(
            Several((Link(name, package_path(job.identity)), Text("", place))),
            Badge(words.state_words(job.state), "calm"),
            Text(job.build_class, "promoted" if job.promoted else ""),
            Moment(job.submitted),
            Moment(start) if start is not None else Text("not known"),
            Text(why),
        ),
        data={"job": job, "expected_start": start},
    )


def _named(package: PackageSummary) -> Link:
    return Link(package.pkgbase, package_path(package.pkgbase), package.target_repo)


def _held_row(it: HeldPackage) -> Row:
    name = it.package.pkgbase
    why = it.reason or "no reason was given"
    return Row(
        key=f"held/{it.package.source_repo}/{name}/{it.since:.0f}",
        title=f"{name} is on hold: {why}",
        path=package_path(name),
        time=it.since,
        summary=f"by {it.by}: {why}",
        cells=(
            Several((_named(it.package), *((Badge("recalled", "bad"),) if it.recalled else ()))),
            Moment(it.since),
            Text(it.by, "by itself" if it.automatic else ""),
            Text(why),
            Text(it.left_out),
        ),
        data=it,
    )


def _stale_row(it: StalePackage) -> Row:
    name = it.package.pkgbase
    since = it.failing_since or it.ahead_since
    count = f"{it.failures} or more" if it.counted_on else str(it.failures or "")
    return Row(
        key=f"stale/{it.package.source_repo}/{name}/{since:.0f}",
        title=f"{name} is stale: {it.reason}",
        path=package_path(name),
        time=since,
        summary=it.reason,
        cells=(
            _named(it.package),
            Text(count or "behind upstream"),
            Moment(since),
            Text(it.reason),
        ),
        data=it,
    )


def _broken_row(it: BrokenPackage) -> Row:
    name = it.package.pkgbase
    lost = ", ".join(f"{need.name} of {need.offered_by}" for need in it.lost)
    since = max((need.since for need in it.lost), default=0.0)
    return Row(
        key=f"broken/{it.package.source_repo}/{name}/{since:.0f}",
        title=f"{name} {it.version} has lost {lost}",
        path=package_path(name),
        time=since,
        summary=it.not_rebuilt or "to be rebuilt",
        cells=(
            _named(it.package),
            Text(it.version),
            Text(lost),
            Moment(since),
            Text(it.not_rebuilt or "yes"),
        ),
        data=it,
    )
