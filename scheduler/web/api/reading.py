"""What can be read as JSON: the queue, jobs, packages, lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.job import Outcome
from scheduler.web.answers import json_answer, not_found
from scheduler.web.api.model import (
    FailureCount,
    FailureCounts,
    GroupPage,
    JobAnswer,
    JobPage,
    LogPage,
    PackageAnswer,
    QueueAnswer,
    RemovalPage,
    page_of,
)
from scheduler.web.api.operations import CURSOR, DAYS, LIMIT, OUTCOME, PATTERN, Operation
from scheduler.web.parameters import (
    cursor_of,
    identity_of,
    job_of,
    limit_of,
    outcomes_of,
    pattern_of,
    query_number,
    services_of,
    snapshot_of,
)

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from scheduler.history import History, PastJob
    from scheduler.web.services import WebServices

BAD_OUTCOMES = (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.SOFTWARE_FAILURE)
_SHOWN_OF_PACKAGE = 10
# Of those that failed, so many are looked at for a page: others are built again since.
_LOOKED_AT = 1000


def queue(request: Request) -> Response:
    """Answer with the queue at this instant."""
    services = services_of(request)
    snapshot = snapshot_of(request, limit_of(request))
    awaited = {job.identity for job in (*snapshot.active, *snapshot.ready, *snapshot.waiting)}
    forecasts = services.history.forecasts(awaited) if services.history else {}
    return json_answer(request, QueueAnswer(queue=snapshot, forecasts=forecasts))


def job(request: Request) -> Response:
    """Answer with one job."""
    services, job_id = services_of(request), job_of(request)
    view = services.queue.job(job_id) if job_id > 0 else None
    past = services.history.job(job_id) if services.history else None
    known = view or past
    if known is None:
        raise not_found(f"no job {job_id} is known", hint="It may have ended long ago.")
    logs = [log for log in services.logs.of_package(known.identity) if log.job_id == job_id]
    return json_answer(
        request,
        JobAnswer(
            job_id=job_id, identity=known.identity, queue=view, history=past, logs=tuple(logs)
        ),
    )


def package(request: Request) -> Response:
    """Answer with what is known of a package."""
    services, identity = services_of(request), identity_of(request)
    history = services.history
    explanation = services.queue.explain(identity)
    latest = history.of_package(identity, limit=_SHOWN_OF_PACKAGE) if history else []
    if explanation is None and not latest:
        raise not_found(f"nothing is known of {identity}", hint="Nobody has scheduled it lately.")
    forecast = history.forecast(identity) if history else None
    return json_answer(
        request,
        PackageAnswer(
            identity=identity, explanation=explanation, latest=tuple(latest), forecast=forecast
        ),
    )


def package_history(request: Request) -> Response:
    """Answer with the jobs of a package."""
    identity, limit = identity_of(request), limit_of(request)
    jobs = _history(request).of_package(identity, limit=limit + 1, before=cursor_of(request))
    return json_answer(request, page_of(jobs, limit))


def package_logs(request: Request) -> Response:
    """Answer with the logs of a package."""
    limit, cursor = limit_of(request), cursor_of(request)
    logs = services_of(request).logs.of_package(identity_of(request))
    newest_first = sorted(logs, key=lambda log: (log.job_id, log.attempt), reverse=True)
    rest = [log for log in newest_first if cursor is None or log.job_id < cursor]
    items = rest[:limit]
    # The attempts at one job are on one page: the cursor is a job.
    if len(rest) > limit:
        items += [log for log in rest[limit:] if log.job_id == items[-1].job_id]
    more = len(rest) > len(items)
    cut = str(items[-1].job_id) if more else None
    return json_answer(request, LogPage(items=tuple(items), next_cursor=cut))


def latest(request: Request) -> Response:
    """Answer with the jobs that ended last."""
    limit = limit_of(request)
    jobs = _history(request).latest(
        limit=limit + 1,
        before=cursor_of(request),
        outcomes=outcomes_of(request),
        pattern=pattern_of(request),
    )
    return json_answer(request, page_of(jobs, limit))


def published(request: Request) -> Response:
    """Answer with what was published last."""
    limit = limit_of(request)
    jobs = _history(request).published(limit=limit + 1, before=cursor_of(request))
    return json_answer(request, page_of(jobs, limit))


def failing(request: Request) -> Response:
    """Answer with the packages whose last build failed."""
    limit = limit_of(request)
    jobs = failing_jobs(
        _history(request), limit=limit + 1, before=cursor_of(request), pattern=pattern_of(request)
    )
    return json_answer(request, page_of(jobs, limit))


def failing_jobs(
    history: History, *, limit: int, before: int | None = None, pattern: str = ""
) -> list[PastJob]:
    """Return the last jobs of packages that failed and were not built since, the newest first."""
    failed = history.latest(limit=_LOOKED_AT, before=before, outcomes=BAD_OUTCOMES, pattern=pattern)
    found: list[PastJob] = []
    seen: set[str] = set()
    for each in failed:
        if each.identity not in seen and len(found) < limit:
            seen.add(each.identity)
            newest = history.of_package(each.identity, limit=1)
            if newest and newest[0].job_id == each.job_id:
                found.append(each)
    return found


def failures(request: Request) -> Response:
    """Answer with how many builds failed, by day and kind."""
    days = query_number(request, "days", 30, least=1, most=366)
    counts = _history(request).failures_by_day(days)
    items = tuple(FailureCount(day=day, failure=kind, number=n) for day, kind, n in counts)
    return json_answer(request, FailureCounts(items=items))


def removals(request: Request) -> Response:
    """Answer with the removals that are not finished."""
    views = services_of(request).queue.removals()
    return json_answer(request, RemovalPage(items=views, next_cursor=None))


def groups(request: Request) -> Response:
    """Answer with the rebuild groups that are open."""
    views = services_of(request).queue.groups(limit=limit_of(request))
    return json_answer(request, GroupPage(items=views, next_cursor=None))


def _history(request: Request) -> History:
    services: WebServices = services_of(request)
    if services.history is None:
        raise not_found(
            "this server has no history",
            hint="Set HISTORY_PATH to where the database runner has it.",
        )
    return services.history


_PACKAGE = "/api/v1/packages/{target_repo}/{arch}/{pkgbase}"

OPERATIONS = (
    Operation(
        path="/api/v1/queue",
        name="queue",
        summary="The queue at this instant: workers, running and waiting jobs, recent results.",
        handler=queue,
        answer=QueueAnswer,
        parameters=(LIMIT,),
    ),
    Operation(
        path="/api/v1/jobs/{job}",
        name="job",
        summary="One job and its logs.",
        handler=job,
        answer=JobAnswer,
        problems=(404,),
    ),
    Operation(
        path=_PACKAGE,
        name="package",
        summary="Why a package is or is not being built, and what became of its last jobs.",
        handler=package,
        answer=PackageAnswer,
        problems=(404,),
    ),
    Operation(
        path=f"{_PACKAGE}/history",
        name="package-history",
        summary="The jobs of a package that have ended.",
        handler=package_history,
        answer=JobPage,
        parameters=(LIMIT, CURSOR),
        problems=(404,),
    ),
    Operation(
        path=f"{_PACKAGE}/logs",
        name="package-logs",
        summary="The logs of a package, one for each attempt.",
        handler=package_logs,
        answer=LogPage,
        parameters=(LIMIT, CURSOR),
    ),
    Operation(
        path="/api/v1/history",
        name="history",
        summary="The jobs that ended last.",
        handler=latest,
        answer=JobPage,
        parameters=(LIMIT, CURSOR, OUTCOME, PATTERN),
        problems=(404,),
    ),
    Operation(
        path="/api/v1/published",
        name="published",
        summary="The jobs that published packages last.",
        handler=published,
        answer=JobPage,
        parameters=(LIMIT, CURSOR),
        problems=(404,),
    ),
    Operation(
        path="/api/v1/failing",
        name="failing",
        summary="Packages whose last build failed, by that job.",
        handler=failing,
        answer=JobPage,
        parameters=(LIMIT, CURSOR, PATTERN),
        problems=(404,),
    ),
    Operation(
        path="/api/v1/failures",
        name="failures",
        summary="How many builds failed, by day and kind.",
        handler=failures,
        answer=FailureCounts,
        parameters=(DAYS,),
        problems=(404,),
    ),
    Operation(
        path="/api/v1/removals",
        name="removals",
        summary="Removals of packages that are not finished.",
        handler=removals,
        answer=RemovalPage,
    ),
    Operation(
        path="/api/v1/groups",
        name="groups",
        summary="Rebuild groups that are open, each list of members cut at the limit.",
        handler=groups,
        answer=GroupPage,
        parameters=(LIMIT,),
    ),
)
