"""The page of a package: why it is as it is, and how it came to be so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse

from caur_ci.errors import TemporaryError
from caur_ci.names import check_package_name, suggestion
from scheduler.job import JobState, Outcome
from scheduler.web.answers import not_found
from scheduler.web.pages import words
from scheduler.web.pages.charts import Point, bar_chart
from scheduler.web.pages.parameters import identity_in_path
from scheduler.web.pages.paths import package_path
from scheduler.web.pages.picture import neighbourhood
from scheduler.web.pages.reach import unless_out_of_reach
from scheduler.web.pages.reasons import Reason, reasons_of
from scheduler.web.pages.rendering import page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from caur_ci.facts import PackageFacts
    from scheduler.history import PastJob, PastLog
    from scheduler.queue import Explanation
    from scheduler.web.pages.charts import Chart
    from scheduler.web.pages.picture import Picture
    from scheduler.web.services import WebServices

_BUILDS = 60
_SHOWN_BUILDS = 10
_SHOWN_VERSIONS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageView:
    """What the page shows. `builds` have the newest first, `others` are other identities."""

    identity: str
    facts: PackageFacts | None
    explanation: Explanation | None
    reasons: tuple[Reason, ...]
    builds: Sequence[PastJob]
    logs: Sequence[PastLog]
    charts: Sequence[Chart]
    picture: Picture | None
    forecast: float | None
    others: Sequence[str]
    has_history: bool

    @property
    def pkgbase(self) -> str:
        """The package."""
        return self.identity.rpartition("/")[2]

    @property
    def place(self) -> str:
        """Target repository and architecture."""
        return self.identity.rpartition("/")[0]

    @property
    def published(self) -> PastJob | None:
        """The newest build that brought files into the repository."""
        return next(iter(self.versions), None)

    @property
    def versions(self) -> list[PastJob]:
        """Those builds, the newest first."""
        return [job for job in self.builds if job.files][:_SHOWN_VERSIONS]

    @property
    def shown_builds(self) -> Sequence[PastJob]:
        """The latest builds."""
        return self.builds[:_SHOWN_BUILDS]


def package(request: Request) -> Response:
    """Answer with the page of `target_repo/arch/pkgbase`."""
    identity = identity_in_path(request)
    services = request.app.state.services
    view = _view(services, identity)
    if view is None:
        raise not_found(f"nothing is known of {identity}", hint=_meant(services, identity))
    return page(request, "package.html", {"view": view, "JobState": JobState})


def short(request: Request) -> Response:
    """Lead from a mere name to the page of the package; to a choice where there are several."""
    pkgbase = check_package_name(request.path_params["pkgbase"])
    services = request.app.state.services
    found = identities_of(services, pkgbase)
    if not found:
        raise not_found(f"nothing is known of {pkgbase}", hint=_meant(services, pkgbase))
    if len(found) == 1:
        base = request.app.state.settings.base_path
        return RedirectResponse(f"{base}{package_path(found[0])}", status_code=302)
    return page(request, "choice.html", {"name": pkgbase, "identities": found})


def identities_of(services: WebServices, pkgbase: str, *, asks_queue: bool = True) -> list[str]:
    """Return the packages of that name that anybody knows of; the queue may be left out."""
    jobs = unless_out_of_reach(lambda: services.queue.find(pkgbase), ()) if asks_queue else ()
    found = {job.identity for job in jobs if _named(job.identity, pkgbase)}
    if services.history is not None:
        found.update(services.history.identities(pkgbase))
    facts = services.facts.package(pkgbase) if services.facts is not None else None
    if facts is not None and facts.package.target_repo:
        places = {identity.partition("/")[0] for identity in found}
        if facts.package.target_repo not in places:
            found.add(facts.package.identity)
    return sorted(found)


def _named(identity: str, pkgbase: str) -> bool:
    return identity.rpartition("/")[2] == pkgbase


def _view(services: WebServices, identity: str) -> PackageView | None:
    target_repo, _, rest = identity.partition("/")
    pkgbase = rest.rpartition("/")[2]
    history = services.history
    facts = services.facts.package(pkgbase, target_repo) if services.facts is not None else None
    builds = history.of_package(identity, limit=_BUILDS) if history is not None else []
    explanation, logs, is_queue_known = None, [], True
    try:
        explanation = services.queue.explain(identity)
        logs = services.logs.of_package(identity)
    except TemporaryError:
        if not (facts or builds):
            raise
        is_queue_known = False
    if not (facts or explanation or builds or logs):
        return None
    return PackageView(
        identity=identity,
        facts=facts,
        explanation=explanation,
        reasons=reasons_of(explanation, facts, is_queue_known=is_queue_known),
        builds=builds,
        logs=list(reversed(logs)),
        charts=_charts(builds),
        picture=_picture(services, pkgbase, target_repo),
        forecast=history.forecast(identity) if history is not None else None,
        others=[
            it
            for it in identities_of(services, pkgbase, asks_queue=is_queue_known)
            if it != identity
        ],
        has_history=history is not None,
    )


def _picture(services: WebServices, pkgbase: str, target_repo: str) -> Picture | None:
    if services.facts is None:
        return None
    maps = services.facts.dependencies(target_repo)
    found = (neighbourhood(it.needs, pkgbase) for it in maps if pkgbase in it.needs)
    return next((picture for picture in found if picture is not None), None)


def _charts(builds: Sequence[PastJob]) -> list[Chart]:
    """Return how long builds took, how much memory, and how large what they made is."""
    in_order = [job for job in reversed(builds) if job.finished]
    kinds: tuple[tuple[str, Callable[[PastJob], float | None], Callable[[float], str]], ...] = (
        ("Duration", lambda job: job.build_seconds, words.duration),
        ("Memory at the most", lambda job: job.usage.peak_memory, words.size),
        ("Size of the packages", lambda job: sum(it.size for it in job.files) or None, words.size),
    )
    charts = []
    for name, value_of, say in kinds:
        points = [
            Point(words.exact(job.finished)[:10], value, _bad(job), f"/build/{job.job_id}")
            for job in in_order
            if (value := value_of(job)) is not None and job.job_id > 0
        ]
        if (chart := bar_chart(name, points, say)) is not None:
            charts.append(chart)
    return charts


def _bad(job: PastJob) -> str:
    return "" if job.outcome is Outcome.SUCCESS else "bad"


def _meant(services: WebServices, name: str) -> str:
    if services.facts is None:
        return "Is it written rightly?"
    known = {it.pkgbase for it in services.facts.packages()}
    return suggestion(name.rpartition("/")[2], known) or "Is it written rightly?"
