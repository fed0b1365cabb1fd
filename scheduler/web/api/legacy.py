"""What the existing manager answers, in its forms: JSON is sent as text, times are milliseconds."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from caur_ci.errors import CaurError, TemporaryError
from scheduler.job import FailureClass, Outcome
from scheduler.links import log_link
from scheduler.web.answers import TEXT_TYPE, json_answer, problem_of
from scheduler.web.api.legacy_schemas import METRICS_SCHEMA, PACKAGES_SCHEMA, STATS_SCHEMA
from scheduler.web.api.operations import Operation
from scheduler.web.finding_logs import NEWEST, find_log
from scheduler.web.parameters import services_of, settings_of, snapshot_of, streams_of
from scheduler.web.streaming.log_streams import as_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from starlette.requests import Request

    from scheduler.history import History
    from scheduler.queue import JobView, QueueSnapshot
    from scheduler.web.services import WebServices

# Of each kind; the counts are of all.
_SHOWN = 10_000
_PUBLISHED = {Outcome.SUCCESS}
_FAILED = {Outcome.FAILED, Outcome.TIMED_OUT, Outcome.SOFTWARE_FAILURE}
# As far back as the history goes.
_DAYS = 3660
_OLD_PAGES = ("/logs.html", "/logs/logs.html")


async def log(request: Request) -> Response:
    """Answer with the log of a package as it grows, problems as text."""
    package, timestamp = _named(request.path_params["log"])
    services, streams = services_of(request), streams_of(request)
    try:
        entry = await run_in_threadpool(find_log, services, package, timestamp)
    except TemporaryError:
        raise
    except CaurError as error:
        problem = problem_of(error)
        text = f"{problem.message}. {problem.hint}\n" if problem.hint else f"{problem.message}\n"
        return PlainTextResponse(text, status_code=problem.status)
    if request.method == "HEAD":
        return Response(media_type=TEXT_TYPE)
    return streams.text(as_text(streams.logs, entry, 0))


def old_page(request: Request) -> Response:
    """Send a browser that followed an old link to the page of the log."""
    package = request.query_params.get("id", "")
    timestamp = request.query_params.get("timestamp") or NEWEST
    entry = find_log(services_of(request), package, timestamp)
    path = f"{settings_of(request).base_path}/log/{entry.job_id}/{entry.attempt}"
    return RedirectResponse(path, status_code=302)


def stats(request: Request) -> Response:
    """Answer with what is being built, what waits, and who is idle."""
    snapshot = snapshot_of(request, _SHOWN)
    waiting = [*snapshot.ready, *snapshot.waiting, *snapshot.held, *snapshot.delayed]
    elsewhere = snapshot.total_waiting + snapshot.total_held + snapshot.total_delayed
    idle = [each for each in snapshot.workers if each.build_class and not each.jobs]
    data = {
        "active": {
            "count": snapshot.total_active,
            "packages": list(_active(request, snapshot)),
        },
        "waiting": {
            "count": snapshot.total_ready + elsewhere,
            "packages": [
                {"name": job.identity, "build_class": _class(job.build_class)} for job in waiting
            ],
        },
        "idle": {
            "count": len(idle),
            "nodes": [{"name": each.name, "build_class": each.build_class} for each in idle],
        },
    }
    return _as_text(request, data)


def metrics(request: Request) -> Response:
    """Answer with how many builds and publications went well and how many did not."""
    history = services_of(request).history
    if history is None:
        recent = snapshot_of(request, _SHOWN).recent
        ended = Counter(job.outcome for job in recent)
        refused = sum(job.failure is FailureClass.DELIVERY for job in recent)
    else:
        ended, refused = Counter(history.totals()), _refused(history)
    completed = sum(ended[each] for each in _PUBLISHED)
    failed = sum(ended[each] for each in _FAILED)
    data = {
        "builder_queue": {"completed": completed + refused, "failed": failed - refused},
        "database_queue": {"completed": completed, "failed": refused},
    }
    return _as_text(request, data)


def packages(request: Request) -> Response:
    """Answer with what is in the queue, by name."""
    queue = services_of(request).queue
    snapshot = snapshot_of(request, _SHOWN)
    jobs = [
        *(*snapshot.active, *snapshot.ready, *snapshot.waiting, *snapshot.held),
        *snapshot.delayed,
    ]
    records = queue.records([job.job_id for job in jobs])
    data = [
        {
            record.spec.pkgbase: {
                "arch": record.spec.arch,
                "build_class": _class(record.spec.build_class),
                "srcrepo": record.spec.source_repo,
                "timestamp": int(record.view.submitted * 1000),
            }
        }
        for record in (records.get(job.job_id) for job in jobs)
        if record and record.spec
    ]
    return _as_text(request, data)


def _named(path: str) -> tuple[str, str]:
    """Return package and time of `PACKAGE[/TIME]`, where PACKAGE may have slashes."""
    parts = path.split("/")
    if len(parts) in {2, 4}:
        return "/".join(parts[:-1]), parts[-1]
    return path, NEWEST


def _active(request: Request, snapshot: QueueSnapshot) -> Iterator[Mapping[str, Any]]:
    services = services_of(request)
    names = {worker.id: worker.name for worker in snapshot.workers}
    for job in snapshot.active:
        yield {
            "name": job.identity,
            "node": names.get(job.worker, job.worker),
            "build_class": _class(job.build_class),
            "liveLog": _live_log(request, services, job),
        }


def _live_log(request: Request, services: WebServices, job: JobView) -> str:
    settings = settings_of(request)
    base = settings.logs_url or f"{settings.base_path}{_OLD_PAGES[0]}"
    entry = services.logs.entry(job.job_id, job.attempt)
    return log_link(base, job.identity, entry.started if entry else None)


def _refused(history: History) -> int:
    return sum(
        number
        for _, failure, number in history.failures_by_day(_DAYS)
        if failure == FailureClass.DELIVERY
    )


def _class(build_class: str) -> int | str:
    return int(build_class) if build_class.isdecimal() else build_class


def _as_text(request: Request, data: object) -> Response:
    return json_answer(request, data, media_type=TEXT_TYPE)


def page_routes() -> list[Route]:
    """Return the routes of the pages that links of the existing system lead to."""
    return [Route(path, old_page, name=f"old-page{path}") for path in _OLD_PAGES]


def log_route() -> Route:
    """Return the route of logs by package and time; what is below it has to come before."""
    return Route("/api/logs/{log:path}", log, name="legacy-log")


OPERATIONS = (
    Operation(
        path="/api/queue/stats",
        name="legacy-stats",
        summary="What is being built, what waits, and who is idle.",
        handler=stats,
        answer=STATS_SCHEMA,
        media_type="text/plain",
    ),
    Operation(
        path="/api/queue/metrics",
        name="legacy-metrics",
        summary="How many builds and publications went well, and how many failed.",
        handler=metrics,
        answer=METRICS_SCHEMA,
        media_type="text/plain",
    ),
    Operation(
        path="/api/queue/packages",
        name="legacy-packages",
        summary="What is in the queue, by pkgbase; times are in milliseconds.",
        handler=packages,
        answer=PACKAGES_SCHEMA,
        media_type="text/plain",
    ),
)
